// Where a recording comes from: the device, which plays it as it likes, or files
// of this server. One object for each that plays: begin() gives what went wrong,
// look() where it is, or null when it is over.
import { api, call, query, trouble } from './core.js';
import { t } from './i18n.js';

export class FromDevice {
  // path of the channel, the feed that shows it
  constructor(path, feed) {
    Object.assign(this, { path, feed, id: null, playback: null, ended: false });
  }

  async begin(from, until) {
    const r = await call('POST', `${this.path}/playback`, { start: Math.floor(from / 1000), end: Math.floor(until / 1000) });
    if (!r.ok) return trouble(r);
    this.id = r.data.session;
    this.playback = r.data.playback;
    if (this.ended) this.end();
    else this.feed.session(r.data);
    return '';
  }

  async control(action, more = {}) {
    const r = await call('POST', `/sessions/${this.id}/control`, { action, ...more });
    return trouble(r);
  }

  // false: it takes another session
  async seek(ms) {
    const start = Date.parse(this.playback.start);
    return start <= ms && ms < Date.parse(this.playback.end) && !await this.control('seek', { position_s: (ms - start) / 1000 });
  }

  pause(on) {
    return this.control(on ? 'pause' : 'resume');
  }

  pace(scale) {
    return this.control('scale', { scale });
  }

  async look() {
    const r = await call('GET', `/sessions/${this.id}`);
    if (!r.ok || !r.data.playback) return null;
    this.playback = r.data.playback;
    return { at: Date.parse(this.playback.at), paused: this.playback.paused };
  }

  // The session goes with its last viewer; a button is no reason to wait for that.
  end() {
    this.ended = true;
    if (this.id) call('DELETE', `/sessions/${this.id}`);
  }
}

export const ownFile = (path, from, until) => `${api}${path}/records.mp4?${query({ start: new Date(from).toISOString(), end: new Date(until).toISOString(), gaps: 'keep' })}`;

export class FromHere {
  constructor(path, feed) {
    Object.assign(this, { path, feed, rate: 1, failed: false });
  }

  begin(from, until) {
    Object.assign(this, { from, until });
    this.feed.file(ownFile(this.path, from, until), () => { this.failed = true; });
    this.feed.video.playbackRate = this.rate;
    return '';
  }

  seek(ms) {
    if (ms < this.start() || ms >= this.until) return false;
    this.begin(ms, this.until);
    return true;
  }

  start() {
    return this.first ??= this.from;
  }

  pause(on) {
    const { video } = this.feed;
    if (on) video.pause();
    else video.play().catch(() => {});
    return '';
  }

  pace(rate) {
    if (rate < 0) return t('noReverse');
    this.rate = rate;
    this.feed.video.playbackRate = rate;
    return '';
  }

  look() {
    const { video } = this.feed;
    if (this.failed) return { trouble: t('fileBroken') };
    return video.ended ? null : { at: this.from + video.currentTime * 1000, paused: video.paused };
  }

  end() {
    this.feed.dropFile();
  }
}
