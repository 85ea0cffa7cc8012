// Alarms, newest first: filtered by the server, and as they come.
import { button, call, channelPath, clock, devicePath, field, h, inLanguage, listen, listing, may, query, select, soon, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';
import { Rules } from './rules.js';

addTexts({
  en: { what: 'What', alarmMethod: 'Method', picture: 'Picture', 
    deviceFilter: 'Device id', noAlarms: 'No alarms.', resetAlarm: 'Reset', wasReset: 'reset', records: 'Recording', acknowledge: 'Acknowledge', isOpen: 'open', isSeen: 'acknowledged', exportCsv: 'Export (CSV)', alarmState: 'State',
    m1: 'telephone', m2: 'device', m3: 'message', m4: 'GPS', m5: 'video', m6: 'device fault', m7: 'other', p1: '1 urgent', p2: '2 serious', p3: '3 warning', p4: '4 remark' },
  zh: { what: '类型', alarmMethod: '报警方式', picture: '图片', 
    deviceFilter: '设备编号', noAlarms: '没有报警。', resetAlarm: '复位', wasReset: '已复位', records: '录像', acknowledge: '确认', isOpen: '未确认', isSeen: '已确认', exportCsv: '导出（CSV）', alarmState: '状态',
    m1: '电话报警', m2: '设备报警', m3: '短信报警', m4: 'GPS 报警', m5: '视频报警', m6: '设备故障报警', m7: '其他报警', p1: '1 一级警情', p2: '2 二级警情', p3: '3 三级警情', p4: '4 四级警情' },
});

const PAGE = 100;
const KEPT_MAX = 2000; // rows
const FRESH = 50; // of them: their pictures and recordings come behind them
const LEAD_MS = 5000; // a recording is shown from so long before

export default class Alarms {
  constructor(root, shell) {
    this.shell = shell;
    this.items = [];
    this.next = null;
    this.asked = 0;
    const changed = () => this.load();
    this.filters = {
      device: h('input', { type: 'text', inputmode: 'numeric', size: 22, onchange: changed }),
      method: select([['', 'anyKind'], ...[1, 2, 3, 4, 5, 6, 7].map((m) => [m, `m${m}`])], { onchange: changed }),
      priority: select([['', 'anyKind'], ...[1, 2, 3, 4].map((p) => [p, `p${p}`])], { onchange: changed }),
      acknowledged: select([['', 'anyKind'], ['false', 'isOpen'], ['true', 'isSeen']], { onchange: changed }),
      from: h('input', { type: 'datetime-local', onchange: changed }),
      to: h('input', { type: 'datetime-local', onchange: changed }),
    };
    const f = this.filters;
    this.csv = h('a', { class: 'button', download: 'alarms.csv', t: 'exportCsv' });
    this.said = status();
    this.table = listing(['time', 'where', 'priority', 'what', 'description', 'picture', 'alarmState', '']);
    this.more = button('more', () => this.load(true), { hidden: true });
    this.rules = new Rules();
    root.append(h('h1', { t: 'view_alarms' }),
      h('div', { class: 'tools' }, field('deviceFilter', f.device), field('alarmMethod', f.method), field('priority', f.priority), field('alarmState', f.acknowledged), field('from', f.from), field('until', f.to), this.csv),
      this.said,
      this.table.root,
      this.more,
      this.rules.root);
    listen('alarm', (a) => this.came(a));
    listen('reset', () => this.shown && this.load());
    this.later = soon(() => this.refresh(), 4000);
  }

  get query() {
    const f = this.filters;
    const time = (input) => (input.value ? new Date(input.value).toISOString() : '');
    return { device: f.device.value.trim(), method: f.method.value, priority: f.priority.value, acknowledged: f.acknowledged.value, from: time(f.from), to: time(f.to) };
  }

  async load(more = false) {
    const mine = ++this.asked;
    const before = new Set(this.items);
    this.csv.href = `/api/v1/alarms.csv?${query(this.query)}`;
    const r = await call('GET', `/alarms?${query({ ...this.query, limit: PAGE, cursor: more ? this.next : '' })}`);
    if (mine !== this.asked) return;
    if (r.ok) {
      const known = new Set(r.data.items.map((a) => a.id));
      this.items = more ? [...this.items, ...r.data.items] : [...this.items.filter((a) => !before.has(a) && !known.has(a.id)), ...r.data.items];
      this.next = r.data.next;
    }
    this.said.textContent = trouble(r) || (this.items.length ? '' : t('noAlarms'));
    this.draw();
  }

  // What has been recorded meanwhile of those that came
  async refresh() {
    const r = await call('GET', `/alarms?${query({ ...this.query, limit: FRESH })}`);
    if (!r.ok) return;
    const fresh = new Map(r.data.items.map((a) => [a.id, a]));
    this.items = this.items.map((a) => fresh.get(a.id) ?? a);
    this.draw();
  }

  // Only what the filters want; it is drawn above the others.
  came(a) {
    if (!this.shown) return;
    const q = this.query;
    const at = Date.parse(a.received_at);
    if ((q.device && q.device !== a.device) || (q.method && q.method !== a.method) || (q.priority && q.priority !== a.priority) || q.acknowledged === 'true' ||
      (q.from && at < Date.parse(q.from)) || (q.to && at > Date.parse(q.to))) return;
    this.items.unshift(a);
    this.said.textContent = '';
    this.table.root.hidden = false;
    this.table.body.prepend(this.row(a));
    if (this.items.length > KEPT_MAX) this.forget();
    this.later();
  }

  // A page that stays open for weeks does not grow: the oldest can be asked for again.
  forget() {
    this.items.pop();
    this.table.body.lastElementChild.remove();
    this.next = this.items.at(-1).id;
    this.more.hidden = false;
  }

  draw() {
    this.table.draw(this.items.map((a) => this.row(a)));
    this.more.hidden = !this.next;
  }

  row(a) {
    const picture = a.picture && `/api/v1/pictures/${encodeURIComponent(a.picture)}`;
    const at = Date.parse(a.received_at);
    const isChannel = a.channel && a.channel !== a.device;
    const what = [inLanguage(a, 'method_name') || a.method, inLanguage(a, 'type_name') || a.type].filter((x) => x && x !== '0').join(' · ');
    return h('tr', { 'data-id': a.id },
      h('td', { text: when(a.received_at), title: a.time }),
      this.shell.names.cell(a.device, a.channel),
      h('td', { class: Number(a.priority) <= 1 ? 'bad' : '', text: a.priority === '0' ? '' : a.priority }),
      h('td', { text: what }),
      h('td', { class: 'wide', text: a.description }),
      h('td', {}, picture ? h('a', { href: picture, target: '_blank', rel: 'noopener' },
        h('img', { src: picture, alt: `${t('picture')} ${clock(at)}`, loading: 'lazy', height: 54 })) : ''),
      h('td', {}, h('span', { t: a.acknowledged_at ? 'isSeen' : 'isOpen' }), a.acknowledged_at ? h('span', { class: 'id', text: `${a.acknowledged_by} ${when(a.acknowledged_at)}` }) : ''),
      h('td', { class: 'acts' }, !a.acknowledged_at && may('operator') ? button('acknowledge', () => this.acknowledge(a)) : '', a.recording ? button('records', () => this.shell.go('live', a.device, a.channel, String(Math.max(Number(a.recording), at - LEAD_MS)))) : '', isChannel ? button('toPicture', () => this.shell.go('live', a.device, a.channel)) : '',
        may('operator') ? button('resetAlarm', (e) => this.reset(a, e.target)) : ''));
  }

  async reset(a, b) {
    const path = a.channel && a.channel !== a.device ? channelPath(a.device, a.channel) : devicePath(a.device);
    b.disabled = true;
    const r = await call('POST', `${path}/alarm-reset?wait=5`, {});
    b.disabled = false;
    b.textContent = r.ok ? t('wasReset') : t('resetAlarm');
    this.said.textContent = trouble(r);
  }

  async acknowledge(a) {
    const r = await call('POST', `/alarms/${a.id}/acknowledge`);
    this.said.textContent = trouble(r);
    if (!r.ok) return;
    this.items = this.items.flatMap((x) => (x.id !== a.id ? [x] : this.query.acknowledged === 'false' ? [] : [r.data]));
    this.draw();
  }

  show() {
    this.shown = true;
    this.load();
    this.rules.load();
  }

  hide() {
    this.shown = false;
  }

  language() {
    this.draw();
    this.rules.load();
  }
}
