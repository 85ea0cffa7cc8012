// What this server records: who is recorded and when, and the files of a day.
import { button, bytes, call, channelPath, clock, dayOf, field, h, inLanguage, listen, listing, query, readAgain, select, soon, span, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { recorders: 'Recorded channels', recordMode: 'Record', modeOff: 'never', modeAlways: 'always', modePlan: 'by plan', modeAlarm: 'on alarm',
    startRecord: 'Start now', stopRecord: 'Stop', alarmSeconds: 'Seconds after an alarm', before: 'Keep the pictures before an alarm',
    plan: 'Plan: drag over the half hours', weekdays: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], filesOfDay: 'Files of the day', length: 'Length', 
    play: 'Play', noFiles: 'Nothing was recorded on that day.', noRecorders: 'No channel is recorded. Choose one in the tree.',
    beingWritten: 'being written', rec_off: 'off', rec_waiting: 'waits', rec_starting: 'starts', rec_ready: 'ready', rec_recording: 'records', rec_ending: 'ends', settings: 'Settings', byHand: 'by hand' },
  zh: { recorders: '录像通道', recordMode: '录像方式', modeOff: '不录像', modeAlways: '持续录像', modePlan: '按计划', modeAlarm: '报警录像',
    startRecord: '立即录像', stopRecord: '停止', alarmSeconds: '报警后录像秒数', before: '保留报警前的画面',
    plan: '计划：拖动选择半小时', weekdays: ['周一', '周二', '周三', '周四', '周五', '周六', '周日'], filesOfDay: '当天文件', length: '时长', 
    play: '播放', noFiles: '当天没有录像。', noRecorders: '没有录像通道，请在设备树中选择。',
    beingWritten: '正在写入', rec_off: '关闭', rec_waiting: '等待', rec_starting: '启动中', rec_ready: '就绪', rec_recording: '录像中', rec_ending: '结束中', settings: '设置', byHand: '手动' },
});

const MODES = [['off', 'modeOff'], ['always', 'modeAlways'], ['plan', 'modePlan'], ['alarm', 'modeAlarm']];
const SLOTS = 48; // half hours of a day

// Seven days of half hours, painted with a pointer or with Enter and arrows.
class Plan {
  constructor() {
    this.body = h('tbody', {});
    this.root = h('table', { class: 'plan', label: 'plan', role: 'grid' }, h('thead', {}, h('tr', {}, h('td', {}), Array.from({ length: 24 }, (_, i) => h('th', { scope: 'col', colspan: 2, text: i })))), this.body);
    this.root.addEventListener('pointerdown', (e) => {
      const c = e.target.closest('td[data-slot]');
      if (c) { this.paint = !this.on(c); this.set(c, this.paint); e.preventDefault(); c.focus(); }
    });
    this.root.addEventListener('pointerover', (e) => { if (this.paint !== undefined && e.target.dataset.slot) this.set(e.target, this.paint); });
    addEventListener('pointerup', () => { this.paint = undefined; });
    this.root.addEventListener('keydown', (e) => this.key(e));
    this.value = Array(7).fill('0'.repeat(SLOTS));
  }

  on(cell) { return cell.getAttribute('aria-selected') === 'true'; }
  set(cell, on) { cell.setAttribute('aria-selected', String(on)); }
  get value() { return [...this.body.rows].map((r) => [...r.cells].slice(1).map((c) => (this.on(c) ? '1' : '0')).join('')); }

  set value(days) {
    this.body.replaceChildren(...days.map((day, d) => h('tr', {}, h('th', { scope: 'row', text: t('weekdays')[d] }),
      [...day].map((x, i) => h('td', { role: 'gridcell', 'data-slot': i + 1, tabindex: d || i ? -1 : 0, 'aria-selected': String(x === '1'),
        title: `${t('weekdays')[d]} ${Math.floor(i / 2)}:${i % 2 ? '30' : '00'}` })))));
  }

  key(e) {
    const c = e.target.closest('td[data-slot]');
    if (!c) return;
    const row = c.parentNode;
    const to = { ArrowRight: c.nextSibling, ArrowLeft: c.previousSibling, ArrowDown: row.nextSibling?.cells[c.cellIndex], ArrowUp: row.previousSibling?.cells[c.cellIndex] }[e.key];
    if (e.key === 'Enter' || e.key === ' ') this.set(c, !this.on(c));
    else if (to?.dataset.slot) { c.tabIndex = -1; to.tabIndex = 0; to.focus(); } else return;
    e.preventDefault();
  }
}

export default class Records {
  constructor(root, shell) {
    this.shell = shell;
    this.said = status();
    this.title = h('h1', { t: 'view_records' });
    this.makeList();
    this.makeOne();
    root.append(this.title, this.said, this.all, this.one);
    const again = soon(() => this.shown && (this.at ? this.load(true) : this.loadAll()), 500);
    listen('recording reset', again);
  }

  makeList() {
    this.list = listing(['where', 'recordMode', 'recorderState', 'fileSize', '']);
    this.all = h('div', {}, this.list.root);
  }

  makeOne() {
    const now = new Date();
    this.state = h('span', { class: 'state', role: 'status' });
    this.hand = button('startRecord', () => this.record(), { 'data-needs': 'operator' });
    this.mode = select(MODES, { onchange: () => this.showMode() });
    this.stream = select([['main', 'main'], ['sub', 'sub']]);
    this.seconds = h('input', { type: 'number', min: 1, max: 3600, size: 5 });
    this.keepBefore = h('input', { type: 'checkbox' });
    this.plan = new Plan();
    this.again = readAgain(() => this.load());
    this.planBox = h('div', { class: 'scroll', tabindex: 0, role: 'group', label: 'modePlan' }, h('p', { class: 'hint', t: 'plan' }), this.plan.root);
    this.alarmBox = h('div', { class: 'tools' }, field('alarmSeconds', this.seconds), field('before', this.keepBefore));
    this.day = h('input', { type: 'date', value: dayOf(now), onchange: () => this.loadFiles() });
    this.video = h('video', { controls: true, playsinline: true, hidden: true, class: 'file' });
    this.files = listing(['from', 'until', 'length', 'fileSize', '']);
    this.none = status();
    this.one = h('div', { class: 'stack' },
      h('div', { class: 'tools' }, this.state, this.hand, h('a', { class: 'button', href: '#/records', t: 'recorders' })),
      h('form', { class: 'card stack', 'data-needs': 'admin', onsubmit: (e) => { e.preventDefault(); this.save(); } },
        h('div', { class: 'tools' }, field('recordMode', this.mode), field('stream', this.stream), h('button', { type: 'submit', t: 'save' }), this.again), this.alarmBox, this.planBox),
      h('div', { class: 'tools' }, h('h2', { t: 'filesOfDay' }), field('day', this.day)),
      this.video, this.none, this.files.root);
  }

  show(device, channel) {
    this.shown = true;
    this.at = device && channel ? { device, channel } : null;
    this.all.hidden = Boolean(this.at);
    this.one.hidden = !this.at;
    this.said.textContent = '';
    this.stop();
    if (this.at) this.load();
    else this.loadAll();
  }

  hide() {
    this.shown = false;
    this.stop();
  }

  stop() {
    this.video.hidden = true;
    this.video.removeAttribute('src');
    this.video.load();
  }

  stateText(r) {
    return [t(`rec_${r.state}`), r.by_hand ? t('byHand') : '', inLanguage(r, 'why')].filter(Boolean).join(' · ');
  }

  async loadAll() {
    this.title.textContent = t('recorders');
    const r = await call('GET', '/recorders?limit=10000');
    if (this.at) return;
    this.said.textContent = trouble(r) || (r.data.items.length ? '' : t('noRecorders'));
    this.list.draw((r.ok ? r.data.items : []).map((x) => h('tr', {},
      this.shell.names.cell(x.device, x.channel),
      h('td', { text: t(MODES.find(([m]) => m === x.mode)[1]) }),
      h('td', { class: x.failures ? 'bad' : '', text: this.stateText(x) }),
      h('td', { text: x.segment_bytes ? bytes(x.segment_bytes) : '' }),
      h('td', { class: 'acts' }, button('settings', () => this.shell.go('records', x.device, x.channel))))));
  }

  async load(quiet = false) {
    const { at } = this;
    this.shell.names.put(this.title, at.device, at.channel);
    const r = await call('GET', `${channelPath(at.device, at.channel)}/record`);
    if (at !== this.at) return;
    if (!r.ok) this.said.textContent = trouble(r);
    else this.showRecorder(r, quiet);
    this.loadFiles();
  }

  // quiet: what stands in the form is somebody's work
  showRecorder({ data: x, tag }, quiet) {
    this.state.textContent = this.stateText(x);
    this.byHand = x.by_hand;
    this.hand.dataset.t = x.by_hand ? 'stopRecord' : 'startRecord';
    this.hand.textContent = t(this.hand.dataset.t);
    if (quiet) return;
    this.said.textContent = '';
    this.again.hidden = true;
    this.tag = tag;
    this.mode.value = x.mode;
    this.stream.value = x.stream;
    this.seconds.value = x.alarm_s || 30;
    this.keepBefore.checked = x.before;
    this.plan.value = x.plan;
    this.showMode();
  }

  showMode() {
    this.planBox.hidden = this.mode.value !== 'plan';
    this.alarmBox.hidden = this.mode.value !== 'alarm';
  }

  async record() {
    const r = await call('POST', `${channelPath(this.at.device, this.at.channel)}/record`, { action: this.byHand ? 'stop' : 'start' });
    this.said.textContent = trouble(r);
    if (r.ok) this.showRecorder(r, true);
  }

  async save() {
    const mode = this.mode.value;
    const body = { mode, stream: this.stream.value, plan: this.plan.value };
    if (mode === 'alarm') Object.assign(body, { alarm_s: Number(this.seconds.value), before: this.keepBefore.checked });
    const r = await call('PUT', `${channelPath(this.at.device, this.at.channel)}/record`, body, this.tag);
    if (r.ok) this.showRecorder(r);
    this.said.textContent = trouble(r) || t('saved');
    this.again.hidden = r.status !== 412;
  }

  async loadFiles() {
    const { at } = this;
    const start = new Date(`${this.day.value}T00:00:00`).getTime() / 1000;
    if (!start) return;
    const r = await call('GET', `/records?${query({ ...at, start, end: start + 86400, limit: 2000 })}`);
    if (at !== this.at) return;
    const items = r.ok ? r.data.items : [];
    this.none.textContent = trouble(r) || (items.length ? '' : t('noFiles'));
    this.files.draw(items.map((f) => h('tr', {}, h('td', { text: clock(f.start) }), h('td', { text: f.open ? t('beingWritten') : clock(f.end) }),
      h('td', { text: span(f.length_ms / 1000) }), h('td', { text: bytes(f.bytes) }),
      h('td', { class: 'acts' }, button('play', () => this.play(f), { disabled: !f.file }),
        h('a', { class: 'button', href: this.local(f.file), download: `${at.channel}-${when(f.start).replace(/\D/g, '')}.mp4`, t: 'toFile' }),
        button('del', () => this.remove(f), { disabled: f.open, 'data-needs': 'admin' })))));
  }

  // The signed address is that of the server as others see it: here its own path is enough.
  local(url) {
    const u = new URL(url, location.href);
    return u.pathname + u.search;
  }

  play(f) {
    this.video.hidden = false;
    this.video.src = this.local(f.file);
    this.video.play().catch(() => {});
    this.video.scrollIntoView({ block: 'nearest' });
  }

  async remove(f) {
    if (!window.confirm(t('reallyDelete'))) return;
    const r = await call('DELETE', `${channelPath(this.at.device, this.at.channel)}/records/${f.id}`);
    this.said.textContent = trouble(r);
    this.loadFiles();
  }

  language() {
    this.plan.value = this.plan.value;
    if (this.shown && this.at) this.load(true);
    else if (this.shown) this.loadAll();
  }
}
