// One channel: its picture, and what can be done with it.
import { call, channelPath, h, inLanguage, recall, remember, trouble } from './core.js';
import { Doctor } from './doctor.js';
import { Feed } from './feed.js';
import { failureText, stepName, stepOrder, t } from './i18n.js';
import { Past } from './past.js';
import { Ptz } from './ptz.js';
import { Talk } from './talk.js';

const FIGURES_MS = 500; // between the figures below the picture
const $ = (id) => document.getElementById(id);

// Every way to the same stream, each with its signature.
const WAYS = { flv: 'HTTP-FLV', ws_flv: 'WS-FLV', fmp4: 'HTTP-fMP4', ws_fmp4: 'WS-fMP4', hls: 'HLS', ts: 'MPEG-TS', ps: 'PS', rtsp: 'RTSP',
  mse: 'MSE (go2rtc)', frame: 'MP4' };

export default class Live {
  constructor(root, shell) {
    this.shell = shell;
    this.chosen = null; // { device, channel }
    const path = () => channelPath(this.chosen?.device, this.chosen?.channel);
    this.feed = new Feed($('video'), {
      say: (text) => { $('overlay').textContent = text; $('problem-now').textContent = $('problem').hidden ? '' : text; },
      problem: (p) => this.problem(p),
      got: (live) => { $('problem').hidden = true; $('f-over').textContent = live.transport || '–'; this.addresses(live); },
      lost: () => this.lost(),
    });
    this.ptz = new Ptz($('ptz'), path);
    this.talk = new Talk($('talk'), path);
    this.past = new Past($('past'), {
      path,
      what: () => this.chosen,
      feed: this.feed,
      live: () => this.play(),
      get: (from, until) => shell.go('downloads', this.chosen.device, this.chosen.channel, from, until),
    });
    this.doctor = new Doctor($('doctor').querySelector('.chain'), {
      path,
      stream: () => $('stream').value,
      transport: (name) => { $('transport').value = name; $('transport').dispatchEvent(new Event('change')); },
      sub: () => { $('stream').value = 'sub'; this.play(); },
      again: () => this.play(),
    });
    this.wire();
    this.ptz.label();
    this.showSound();
  }

  wire() {
    $('ptz').addEventListener('toggle', () => this.chosen && $('ptz').open && this.ptz.presets());
    $('doctor').addEventListener('toggle', () => this.chosen && $('doctor').open && this.doctor.look());
    $('doctor').querySelector('.examine').addEventListener('click', () => this.doctor.look(true));
    $('past').addEventListener('toggle', () => this.chosen && $('past').open && this.past.load());
    $('retry').addEventListener('click', () => this.play());
    $('stop').addEventListener('click', () => this.shell.go('live'));
    $('stream').addEventListener('change', () => this.chosen && this.play());
    $('transport').addEventListener('change', async () => {
      if (!this.chosen) return;
      await call('DELETE', `${channelPath(this.chosen.device, this.chosen.channel)}/live?stream=${$('stream').value}`);
      this.play();
    });
    $('full').addEventListener('click', () => $('screen').requestFullscreen?.());
    // As it was left the last time; where the browser wants a click first it is off.
    $('video').muted = recall('sound') !== 'on';
    $('video').addEventListener('volumechange', () => this.showSound());
    $('sound').addEventListener('click', () => {
      const v = $('video');
      v.muted = !v.muted;
      remember('sound', v.muted ? 'off' : 'on');
      this.showSound();
    });
    document.addEventListener('visibilitychange', () => {
      // nobody looks: no picture is fetched until somebody does
      if (!this.chosen || !$('problem').hidden) return;
      if (this.past.playing) return; // it would not be where it was
      if (document.hidden) this.feed.pause();
      else this.play();
    });
  }

  // at: a time of a recording of this server, in place of what is there now
  async show(device, channel, at) {
    if (!device || !channel) {
      this.hide();
      $('nothing').hidden = false;
      return;
    }
    const mine = this.chosen = { device, channel };
    $('nothing').hidden = true;
    $('viewer').hidden = false;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.figures(), FIGURES_MS);
    $('channel-name').textContent = channel;
    $('to-device').href = `#/settings/${encodeURIComponent(device)}/${encodeURIComponent(channel)}`;
    this.openTools();
    this.play();
    if (at) this.showPast(Number(at));
    const name = await this.shell.names.of(device, channel) || channel;
    if (mine !== this.chosen) return;
    $('channel-name').textContent = name;
    document.title = `${name} – gb28181d`;
  }

  showPast(ms) {
    this.past.goTo(ms);
    if ($('past').open) this.past.load();
    else $('past').open = true; // which loads
  }

  hide() {
    clearInterval(this.timer);
    this.ptz.stop();
    this.talk.stop();
    this.past.clear();
    this.feed.close();
    this.chosen = null;
    $('viewer').hidden = true;
    $('problem').hidden = true;
  }

  language() {
    this.ptz.label();
    this.past.show();
    this.doctor.show();
    this.showSound();
    if (!$('problem').hidden) this.showProblem();
  }

  // ---- the picture -------------------------------------------------------------

  openTools() {
    this.doctor.clear();
    if ($('doctor').open) this.doctor.look();
    this.ptz.stop();
    this.talk.stop();
    this.past.clear();
    if ($('ptz').open) this.ptz.presets();
    if ($('past').open) this.past.load();
  }

  play() {
    if (!this.chosen) return;
    if (this.past.playing || this.past.asked) this.past.end();
    $('problem').hidden = true;
    this.feed.open({ ...this.chosen, stream: $('stream').value, transport: $('transport').value });
  }

  addresses(live) {
    $('urls').replaceChildren(...Object.entries(WAYS).flatMap(([key, name]) => (
      live[key] ? [h('dt', { text: name }), h('dd', { text: live[key] })] : [])));
  }

  // true: there is nothing to be asked for again
  lost() {
    if (!this.chosen || !$('problem').hidden) return true;
    if (!this.past.playing) return false;
    this.past.look(); // the recording has ended, or its session
    return true;
  }

  problem(p) {
    this.failed = p;
    $('problem').hidden = false;
    this.showProblem();
    if (this.chosen && $('doctor').open) this.doctor.look();
    else if (this.chosen) $('doctor').open = true; // which looks
  }

  showProblem() {
    const p = this.failed;
    $('problem-title').textContent = failureText(p);
    const at = stepOrder.indexOf(p.step);
    $('steps').replaceChildren(...(at < 0 ? [] : stepOrder.map((s, i) => h('li', { class: i < at ? 'good' : i === at ? 'bad' : '', text: stepName(s) }))));
    $('problem-evidence').textContent = trouble({ ok: false, data: { ...p, ...(p.step && p.evidence && { detail: '', detail_zh: '' }), hint: '', hint_zh: '' } });
    $('problem-hint').textContent = inLanguage(p, 'hint');
  }

  figures() {
    if (!this.chosen) return;
    const v = $('video');
    const { player } = this.feed;
    const codecs = /codecs="([^"]*)"/.exec(player.codecs);
    $('f-codec').textContent = codecs ? codecs[1] + (/mp4a|flac|opus/.test(codecs[1]) ? '' : ` (${t('noSound')})`) : '–';
    $('f-size').textContent = v.videoWidth ? `${v.videoWidth}×${v.videoHeight}` : '–';
    $('f-bitrate').textContent = player.rate ? `${(player.rate / 1000).toFixed(0)} kbit/s` : '–';
    $('f-delay').textContent = v.videoWidth && player.codecs ? `${Math.max(0, player.delay() * 1000).toFixed(0)} ms` : '–';
  }

  showSound() {
    const { muted } = $('video');
    $('sound').setAttribute('aria-pressed', !muted);
    $('sound').dataset.t = muted ? 'soundOn' : 'soundOff';
    $('sound').textContent = t($('sound').dataset.t);
  }
}
