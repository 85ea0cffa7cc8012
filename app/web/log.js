// The daemon's own log: its last lines, and those that come.
import { button, call, clock, field, h, query, select, status, stream, trouble } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { level: 'Level', follow: 'Follow', textFilter: 'Containing', clearList: 'Clear', noLines: 'No lines.', paused: 'Paused: new lines wait.', lv_error: 'errors', lv_warn: 'warnings and worse', lv_info: 'information and worse', lv_debug: 'everything', logSave: 'Save as text' },
  zh: { level: '级别', follow: '跟随', textFilter: '包含', clearList: '清空', noLines: '没有日志。', paused: '已暂停：新日志稍后显示。', lv_error: '仅错误', lv_warn: '警告及以上', lv_info: '信息及以上', lv_debug: '全部', logSave: '另存为文本' },
});

const FIRST = 500; // lines asked for
const KEPT_MAX = 2000; // and kept
const SOON_MS = 300; // behind the last key of a text

// msg="registered" device=34… : what happened, and the rest of it.
const parts = (text) => {
  const m = /^msg=("(?:[^"\\]|\\.)*"|\S*)\s*/.exec(text);
  return m ? [m[1].replace(/^"|"$/g, ''), text.slice(m[0].length)] : ['', text];
};

export default class Log {
  constructor(root) {
    this.items = [];
    this.close = () => {}; // ends the stream
    this.level = select(['error', 'warn', 'info', 'debug'].map((l) => [l, `lv_${l}`]), { onchange: () => this.load() });
    this.level.value = 'debug';
    this.text = h('input', { type: 'search', size: 24, maxlength: 100, oninput: () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.load(), SOON_MS); } });
    this.follow = h('input', { type: 'checkbox', checked: true, onchange: () => (this.follow.checked ? this.load() : this.turn()) });
    this.said = status();
    this.list = h('ol', { class: 'lines', tabindex: 0, label: 'view_log' });
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_log' }), button('logSave', () => this.save())),
      h('div', { class: 'tools' }, field('level', this.level), field('textFilter', this.text), field('follow', this.follow), button('clearList', () => { this.items = []; this.draw(); })),
      this.said, this.list);
  }

  show() {
    this.shown = true;
    this.load();
  }

  hide() {
    this.shown = false;
    clearTimeout(this.timer);
    this.close();
  }

  get query() {
    return { level: this.level.value, q: this.text.value.trim() };
  }

  // The stream is opened before the list is asked for: nothing falls between them.
  async load() {
    const mine = this.loading = {};
    this.items = [];
    this.turn();
    const r = await call('GET', `/log?${query({ ...this.query, limit: FIRST })}`);
    if (mine !== this.loading || !this.shown) return;
    const told = r.ok ? r.data.items : [];
    const ids = new Set(told.map((l) => l.id));
    this.items = [...told, ...this.items.filter((l) => !ids.has(l.id))];
    this.draw(trouble(r));
  }

  turn() {
    this.close();
    this.close = this.follow.checked && this.shown ? stream(`/log/events?${query(this.query)}`, ['log'], (l) => l && this.came(l), () => this.load()) : () => {};
    if (!this.follow.checked) this.said.textContent = t('paused');
  }

  came(l) {
    if (this.items.some((x) => x.id === l.id)) return;
    const end = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 40;
    this.items.push(l);
    this.said.textContent = '';
    this.list.append(this.row(l));
    while (this.items.length > KEPT_MAX) {
      this.items.shift();
      this.list.firstChild.remove();
    }
    if (end) this.list.scrollTop = this.list.scrollHeight;
  }

  draw(why = '') {
    this.said.textContent = why || (!this.follow.checked ? t('paused') : this.items.length ? '' : t('noLines'));
    this.list.replaceChildren(...this.items.map((l) => this.row(l)));
    this.list.scrollTop = this.list.scrollHeight;
  }

  row(l) {
    const [what, rest] = parts(l.text);
    return h('li', { class: l.level }, h('time', { datetime: l.time, title: l.time, text: clock(l.time) + l.time.slice(19, 23) }), h('span', { class: 'level', text: l.level }),
      h('span', { class: 'wide' }, h('b', { text: what }), ` ${rest}`));
  }

  save() {
    const a = h('a', { download: 'gb28181d.log', href: URL.createObjectURL(new Blob(this.items.map((l) => `${l.time} ${l.level} ${l.text}\n`), { type: 'text/plain' })) });
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  }

  language() {
    if (this.shown) this.draw();
  }
}
