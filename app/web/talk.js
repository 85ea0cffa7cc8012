// Speaking to a device while a button is held: the microphone's samples go over a
// WebSocket as they are, the daemon makes of them what the device wants.
import { call, inLanguage, socketUrl, trouble, whenUnseen, whileHeld } from './core.js';
import { t } from './i18n.js';

export class Talk {
  // path() of the chosen channel
  constructor(root, path) {
    this.root = root;
    this.path = path;
    this.holding = null;
    whileHeld(root.querySelector('.hold'), () => this.start(), () => this.stop());
    root.querySelector('.file').addEventListener('change', (e) => this.file(e.target));
    whenUnseen(() => this.stop());
  }

  say(text, bad) {
    const said = this.root.querySelector('.said');
    said.textContent = text;
    said.classList.toggle('error', Boolean(bad));
  }

  async start() {
    if (this.holding) return;
    const mine = this.holding = {};
    this.root.querySelector('.hold').setAttribute('aria-pressed', 'true');
    this.say(t('talkBegins'));
    try {
      await this.open(mine);
    } catch (e) {
      this.end(mine, e.name === 'NotAllowedError' ? t('talkForbidden') : e.name === 'NotFoundError' ? t('talkNoMicrophone') : e.message);
    }
  }

  async open(mine) {
    // browsers give no microphone to pages that do not come over HTTPS
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(t('talkNeedsHttps'));
    mine.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
    mine.context = new AudioContext();
    await mine.context.audioWorklet.addModule('talk-worklet.js');
    if (this.holding !== mine) { this.close(mine); return; } // let go meanwhile
    mine.socket = new WebSocket(socketUrl(`/api/v1${this.path()}/talk?rate=${mine.context.sampleRate}`));
    mine.socket.binaryType = 'arraybuffer';
    mine.socket.onmessage = (e) => this.told(mine, JSON.parse(e.data));
    mine.socket.onclose = () => this.end(mine, mine.trouble || '');
    mine.socket.onerror = () => { mine.trouble ||= t('talkFailed'); };
    mine.node = new AudioWorkletNode(mine.context, 'microphone', { numberOfOutputs: 0 });
    mine.node.port.onmessage = (e) => { if (mine.socket.readyState === WebSocket.OPEN) mine.socket.send(e.data); };
    mine.context.createMediaStreamSource(mine.stream).connect(mine.node);
  }

  told(mine, voice) {
    if (voice.state === 'speaking') this.say(t('talkSpeaking'));
    if (voice.state && voice.state !== 'failed') return;
    mine.trouble = [t('talkFailed'), ...['detail', 'evidence', 'hint'].map((key) => inLanguage(voice, key))].filter(Boolean).join(' — ');
  }

  close(mine) {
    mine.socket?.close(1000);
    for (const track of mine.stream?.getTracks() ?? []) track.stop();
    if (mine.context?.state !== 'closed') mine.context?.close();
  }

  end(mine, trouble) {
    this.close(mine);
    if (this.holding !== mine) return;
    this.holding = null;
    this.root.querySelector('.hold').setAttribute('aria-pressed', 'false');
    this.say(trouble, true);
  }

  stop() {
    if (this.holding) this.end(this.holding, '');
  }

  async file(input) {
    const body = input.files[0];
    input.value = '';
    if (!body) return;
    this.say(t('talkBegins'));
    const r = await call('POST', `${this.path()}/talk`, body);
    this.say(trouble(r) || t('talkSpeaking'), !r.ok);
  }
}
