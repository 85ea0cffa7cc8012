// SIP messages as a ladder: the server at the left, devices at the right; of one
// device, of one call, or of all, as they pass.
import { api, button, call, clock, field, h, query, status, stream, trouble } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { follow: 'Follow', clearList: 'Clear', capture: 'Capture (pcapng)', textFilter: 'Containing', allDevices: 'All devices', thisCall: 'This call alone', wholeDevice: 'All calls', server: 'Server', deviceSide: 'Device',
    noMessages: 'No messages.', messageText: 'Message', repeated: 'times' },
  zh: { follow: '跟随', clearList: '清空', capture: '抓包 (pcapng)', textFilter: '包含', allDevices: '全部设备', thisCall: '仅此会话', wholeDevice: '全部会话', server: '平台', deviceSide: '设备',
    noMessages: '没有消息。', messageText: '消息', repeated: '次' },
});

const FIRST = 300; // messages asked for
const KEPT_MAX = 2000; // and kept

// The same call has the same colour.
function hue(text) {
  let n = 0;
  for (const c of text) n = (n * 31 + c.charCodeAt(0)) % 360;
  return n;
}

export default class Trace {
  constructor(root, shell) {
    this.shell = shell;
    this.items = [];
    this.close = () => {}; // ends the stream
    this.title = h('h1', { t: 'view_trace' });
    this.filter = h('input', { type: 'search', size: 24, oninput: () => this.draw() });
    this.follow = h('input', { type: 'checkbox', checked: true, onchange: () => this.turn() });
    this.pcap = h('a', { class: 'button', t: 'capture', download: 'trace.pcapng' });
    this.callName = h('code', {});
    this.callBox = h('span', { class: 'tools', hidden: true }, this.callName, button('wholeDevice', () => this.choose('')));
    this.everything = button('allDevices', () => shell.go('trace'));
    this.said = status();
    this.list = h('ol', { class: 'ladder', tabindex: 0, label: 'view_trace' });
    this.text = h('pre', { class: 'message', tabindex: 0, label: 'messageText', hidden: true });
    root.append(h('div', { class: 'title' }, this.title, this.everything, this.pcap),
      h('div', { class: 'tools' }, field('textFilter', this.filter), field('follow', this.follow), button('clearList', () => { this.items = []; this.draw(); }), this.callBox),
      this.said, h('div', { class: 'split' }, h('div', { class: 'column' }, h('div', { class: 'sides', 'aria-hidden': 'true' }, h('span', { t: 'server' }), h('span', { t: 'deviceSide' })), this.list), this.text));
    this.takesDevice = true;
  }

  show(device = '') {
    this.shown = true;
    this.device = device;
    this.everything.hidden = !device;
    this.choose('');
  }

  hide() {
    this.shown = false;
    this.close();
  }

  choose(callId) {
    this.callId = callId;
    this.callBox.hidden = !callId;
    this.callName.textContent = callId;
    this.load();
  }

  get query() {
    return { device: this.device, callid: this.callId };
  }

  async load() {
    const mine = this.loading = {};
    this.title.textContent = this.device || t('view_trace');
    this.pcap.href = `${api}/trace.pcap?${query(this.query)}`;
    this.text.hidden = true;
    this.items = [];
    this.turn();
    const r = await call('GET', `/trace?${query({ ...this.query, limit: FIRST })}`);
    if (mine !== this.loading || !this.shown) return;
    const told = r.ok ? r.data.items : [];
    const ids = new Set(told.map((m) => m.id));
    this.items = [...told, ...this.items.filter((m) => !ids.has(m.id))];
    this.said.textContent = trouble(r) || (this.items.length ? '' : t('noMessages'));
    this.draw();
  }

  // The stream is opened before the list is asked for: nothing falls between them.
  turn() {
    this.close();
    this.close = this.follow.checked && this.shown ? stream(`/trace/events?${query(this.query)}`, ['trace'], (m) => m && this.came(m), () => this.load()) : () => {};
  }

  came(m) {
    if (this.items.some((x) => x.id === m.id)) return;
    const end = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 40;
    this.items.push(m);
    this.said.textContent = '';
    if (this.fits(m)) this.list.append(this.row(m));
    while (this.items.length > KEPT_MAX) {
      this.list.querySelector(`[data-id="${this.items.shift().id}"]`)?.remove();
    }
    if (end) this.list.scrollTop = this.list.scrollHeight;
  }

  fits(m) {
    const q = this.filter.value.trim().toLowerCase();
    return !q || m.text?.toLowerCase().includes(q);
  }

  draw() {
    this.list.replaceChildren(...this.items.filter((m) => this.fits(m)).map((m) => this.row(m)));
    this.list.scrollTop = this.list.scrollHeight;
  }

  row(m) {
    const what = m.status ? `${m.status} ${m.reason}` : [m.method, m.cmd].filter(Boolean).join(' ');
    const b = h('button', { type: 'button', class: `step ${m.direction}${m.status >= 400 ? ' bad' : ''}`, style: `--hue:${hue(m.call_id)}`, onclick: () => this.open(m, b) },
      h('span', { class: 'unseen', text: `${t(m.direction === 'in' ? 'deviceSide' : 'server')} ` }),
      h('span', { class: 'when', text: clock(m.time) + new Date(m.time).toISOString().slice(19, 23) }),
      h('span', { class: 'arrow' }, h('span', { class: 'what', text: what }), m.status ? h('span', { class: 'hint', text: m.method }) : '', m.count > 1 ? h('span', { class: 'hint', text: `${m.count} ${t('repeated')}` }) : ''),
      h('span', { class: 'whom', text: this.device ? m.transport : m.device || m.peer }));
    return h('li', { 'data-id': m.id }, b);
  }

  open(m, b) {
    this.list.querySelector('[aria-pressed=true]')?.setAttribute('aria-pressed', 'false');
    b.setAttribute('aria-pressed', 'true');
    this.text.hidden = false;
    this.text.replaceChildren(h('div', { class: 'tools' }, h('span', { class: 'hint', text: m.direction === 'in' ? `${m.peer} → ${m.local}` : `${m.local} → ${m.peer}` }),
      this.callId ? '' : button('thisCall', () => this.choose(m.call_id))), m.text ?? '');
  }

  language() {
    if (this.shown) this.load();
  }
}
