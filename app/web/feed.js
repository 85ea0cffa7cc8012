// A live picture in a <video>: the stream is asked for, shown, and asked for
// again when it breaks. The single view and the cells of the wall have one each.
import { call, channelPath, may, socketUrl } from './core.js';
import { t } from './i18n.js';
import { Player, canPlay } from './player.js';

const RETRY_MAX_MS = 10000;

export class Feed {
  // on: { say(text), problem(p), got(live), lost() } - lost: true when it has been seen to
  constructor(video, on) {
    this.on = on;
    this.video = video;
    this.hasFile = false;
    this.attempt = 0; // counts up with every choice: late answers are dropped
    this.retries = 0;
    this.source = null; // { device, channel, stream, transport }
    this.player = new Player(video, {
      playing: () => { this.on.say(''); this.retries = 0; },
      failed: (text) => this.fail({ evidence: text === 'codec' ? '' : text, hint: t('codecMissing'), step: 'playing' }),
      closed: () => this.again(),
    });
  }

  async open(source) {
    this.pause();
    const mine = this.attempt;
    this.source = source;
    this.on.say(t('starting'));
    if (!canPlay()) {
      this.fail({ evidence: t('noMse'), step: 'playing' });
      return;
    }
    const { device, channel, stream, transport } = source;
    const path = `/api/ws?src=${encodeURIComponent(device)}/${encodeURIComponent(channel)}&stream=${stream}`;
    if (!may('operator')) { // the socket starts what he may see; why it is refused it cannot tell
      const who = this.retries ? await call('GET', '/me') : { ok: true };
      if (mine !== this.attempt || who.status === 401) return;
      this.show({ transport: '' }, path);
      return;
    }
    const ask = () => call('POST', `${channelPath(device, channel)}/live`, { transport, stream });
    let r = await ask();
    if (mine !== this.attempt) return;
    if (r.data?.code === 'live-timeout') { // what is known, while the server tries other ways
      this.fail(r.data);
      this.on.say(t('stillTrying'));
      r = await ask();
      if (mine !== this.attempt) return;
    }
    if (!r.ok) {
      this.fail(r.data || { title: `HTTP ${r.status}` });
      return;
    }
    this.show(r.data, path);
  }

  // A session that is there, a playback.
  session(data) {
    this.pause();
    this.show(data, `/session/${data.session}/ws`);
  }

  // A file, at the pace that the video is set to.
  file(url, broken) {
    this.pause();
    const { video } = this;
    this.hasFile = true;
    this.on.say('');
    video.onerror = broken;
    video.src = url;
    video.play().catch(() => {});
  }

  dropFile() {
    const { video } = this;
    if (!this.hasFile) return;
    this.hasFile = false;
    video.onerror = null;
    video.pause();
    video.removeAttribute('src');
    video.load();
    video.playbackRate = 1;
  }

  show(data, path) {
    this.on.say(t('waiting'));
    this.on.got(data);
    this.player.open(socketUrl(path));
  }

  fail(p) {
    this.player.close();
    this.on.say('');
    this.on.problem(p);
  }

  again() {
    this.player.close();
    if (!this.source || this.on.lost?.()) return;
    this.on.say(t('reconnecting'));
    this.later();
  }

  // Asks once more after a while, longer each time.
  later() {
    const mine = this.attempt;
    const wait = Math.min(RETRY_MAX_MS, 1000 * 2 ** this.retries++);
    setTimeout(() => { if (mine === this.attempt && this.source) this.open(this.source); }, wait);
  }

  // Nobody looks: nothing is fetched; open() goes on.
  pause() {
    this.attempt++;
    this.player.close();
    this.dropFile();
  }

  close() {
    this.pause();
    this.source = null;
    this.retries = 0;
  }
}
