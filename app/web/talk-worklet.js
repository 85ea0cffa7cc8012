// Samples of the microphone as they come, 128 at a time, gathered into pieces
// of 20 ms.
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round(sampleRate / 50));
    this.n = 0;
  }

  process([input]) {
    for (const v of input[0] ?? []) {
      this.piece[this.n++] = Math.max(-1, Math.min(1, v)) * 32767;
      if (this.n === this.piece.length) {
        this.port.postMessage(this.piece.slice().buffer);
        this.n = 0;
      }
    }
    return true;
  }
}
registerProcessor('microphone', Microphone);
