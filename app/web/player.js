// A small live player: fragmented MP4 over WebSocket into Media Source
// Extensions, in go2rtc's dialect. Keeps the delay low by playing a little
// faster, or by jumping when it is far behind.

const CANDIDATES = ['avc1.42e01e', 'avc1.4d401f', 'avc1.640029', 'avc1.64002A', 'avc1.640033', 'hvc1.1.6.L153.B0',
  'hev1.1.6.L153.B0', 'mp4a.40.2', 'mp4a.40.5', 'flac', 'opus'];
const KEEP_S = 20; // seconds of played media kept in the buffer
const KEEP_FULL_S = 5; // the same when the buffer is full
const TARGET_S = 0.4; // delay aimed at
const JUMP_S = 3; // further behind: jump to the live edge
const STILL_MS = 5000; // media comes and no picture is drawn: begin anew

const Source = window.ManagedMediaSource || window.MediaSource;

export const canPlay = () => Boolean(Source);

const supported = () => CANDIDATES.filter((c) => Source.isTypeSupported(`video/mp4; codecs="${c}"`)).join(',');

export class Player {
  // on: { playing(), failed(text), closed(why) }
  constructor(video, on) {
    this.video = video;
    this.on = on;
    this.reset();
  }

  reset() {
    this.queue = [];
    this.queued = 0;
    this.bytes = 0;
    this.rate = 0;
    this.codecs = '';
    this.buffer = null;
    this.started = false;
    this.drawn = -1;
    this.drawnAt = performance.now();
    this.came = 0; // bytes since then
  }

  open(url) {
    this.close();
    this.reset();
    const source = new Source();
    this.source = source;
    this.video.disableRemotePlayback = true;
    this.objectUrl = URL.createObjectURL(source);
    this.video.src = this.objectUrl;
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => (this.socket === socket ? socket.send(JSON.stringify({ type: 'mse', value: supported() })) : socket.close());
    socket.onmessage = (e) => this.socket === socket && (typeof e.data === 'string' ? this.text(JSON.parse(e.data)) : this.data(e.data));
    socket.onclose = (e) => { if (this.socket === socket) this.on.closed(e.reason); };
    this.timer = setInterval(() => this.tick(), 500);
    this.lastTick = performance.now();
  }

  text(message) {
    if (message.type === 'error') {
      this.on.failed(message.value);
    } else if (message.type === 'mse') {
      this.codecs = message.value;
      const { source } = this;
      if (source.readyState === 'open') this.makeBuffer();
      else source.addEventListener('sourceopen', () => { if (source === this.source) this.makeBuffer(); }, { once: true });
    }
  }

  makeBuffer() {
    if (!Source.isTypeSupported(this.codecs)) {
      this.on.failed('codec');
      this.close();
      return;
    }
    try {
      this.buffer = this.source.addSourceBuffer(this.codecs);
    } catch (e) { // it was closed meanwhile, or there are too many
      this.on.closed(String(e));
      return;
    }
    this.buffer.mode = 'segments';
    this.buffer.addEventListener('updateend', () => this.append());
    this.append();
  }

  data(chunk) {
    this.bytes += chunk.byteLength;
    this.came += chunk.byteLength;
    this.queue.push(chunk);
    this.queued += chunk.byteLength;
    if (this.queued > 32 << 20) { // a tab that is asleep: begin anew
      this.on.closed('behind');
      this.close();
      return;
    }
    this.append();
  }

  append() {
    if (!this.buffer || this.buffer.updating || this.queue.length === 0) return;
    const all = new Uint8Array(this.queued);
    let at = 0;
    for (const chunk of this.queue) {
      all.set(new Uint8Array(chunk), at);
      at += chunk.byteLength;
    }
    this.queue = [];
    this.queued = 0;
    try {
      this.buffer.appendBuffer(all);
    } catch (e) {
      if (e.name !== 'QuotaExceededError') {
        this.on.closed(String(e));
        return;
      }
      this.queue = [all.buffer];
      this.queued = all.length;
      this.trim(KEEP_FULL_S);
      return;
    }
    this.start();
  }

  start() {
    const { video } = this;
    if (this.started || video.buffered.length === 0) return;
    this.started = true;
    video.currentTime = Math.max(video.buffered.start(0), video.buffered.end(video.buffered.length - 1) - TARGET_S);
    const { source } = this;
    const playing = () => { if (source === this.source) this.on.playing(); };
    video.play().then(playing).catch((e) => {
      // sound needs a click first; a source that was replaced meanwhile has nothing to do with it
      if (e.name === 'NotAllowedError') video.muted = true;
      if (source === this.source) video.play().then(playing).catch(() => {});
    });
  }

  delay() {
    const b = this.video.buffered;
    return b.length ? b.end(b.length - 1) - this.video.currentTime : 0;
  }

  trim(keep) {
    const end = this.video.currentTime - keep;
    if (this.buffer && !this.buffer.updating && this.video.buffered.length && end > this.video.buffered.start(0) + 1) {
      this.buffer.remove(0, end);
    }
  }

  tick() {
    const now = performance.now();
    this.rate = 0.6 * this.rate + 0.4 * (this.bytes * 8 / ((now - this.lastTick) / 1000));
    this.bytes = 0;
    this.lastTick = now;
    this.start();
    const delay = this.delay();
    const { video } = this;
    if (this.started && !document.hidden) {
      if (delay > JUMP_S) video.currentTime = video.buffered.end(video.buffered.length - 1) - TARGET_S;
      video.playbackRate = delay > 1 ? 1.1 : delay < 0.15 ? 0.97 : 1;
      // a gap in the buffer behind us: step over it
      for (let i = 0; i < video.buffered.length; i++) {
        const begin = video.buffered.start(i);
        if (begin > video.currentTime && begin - video.currentTime < JUMP_S && video.readyState < 3) video.currentTime = begin;
      }
    }
    this.trim(KEEP_S);
    this.watch(now);
  }

  // Decoders and surfaces get stuck now and then, without an error.
  watch(now) {
    const { video } = this;
    if (!video.getVideoPlaybackQuality) return;
    const drawn = video.getVideoPlaybackQuality().totalVideoFrames;
    if (drawn !== this.drawn || !this.started || video.paused || document.hidden || !video.videoWidth) {
      this.drawn = drawn;
      this.drawnAt = now;
      this.came = 0;
    } else if (now - this.drawnAt > STILL_MS && this.came > 0) {
      this.on.closed('no picture is drawn');
    }
  }

  close() {
    clearInterval(this.timer);
    const { socket } = this;
    this.socket = this.source = null;
    this.codecs = '';
    this.rate = 0;
    if (socket && socket.readyState !== WebSocket.CONNECTING) socket.close(); // else as soon as it is open
    if (this.objectUrl) {
      this.video.pause();
      this.video.removeAttribute('src');
      this.video.load();
      URL.revokeObjectURL(this.objectUrl);
      this.objectUrl = null;
    }
  }
}
