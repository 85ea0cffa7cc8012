// Who changed what, newest first, as the server has written it down.
import { button, call, field, h, listing, query, select, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { who: 'Who', role: 'Role', fromWhere: 'From address', path: 'Path', result: 'Result', noDeeds: 'Nothing was changed.', refresh: 'Again' },
  zh: { who: '用户', role: '角色', fromWhere: '来源地址', path: '路径', result: '结果', noDeeds: '没有操作记录。', refresh: '刷新' },
});

const PAGE = 100;

export default class Audit {
  constructor(root) {
    this.items = [];
    this.asked = 0;
    const changed = () => this.load();
    const text = (size) => h('input', { type: 'text', size, maxlength: 64, onchange: changed });
    const time = () => h('input', { type: 'datetime-local', onchange: changed });
    this.filters = { who: text(12), method: select([['', 'anyKind'], ...['POST', 'PUT', 'PATCH', 'DELETE', 'GET'].map((m) => [m, m])], { onchange: changed }), path: text(24), peer: text(16), from: time(), to: time() };
    const f = this.filters;
    this.said = status();
    this.table = listing(['time', 'who', 'role', 'fromWhere', 'method', 'path', 'result']);
    this.more = button('more', () => this.load(true), { hidden: true });
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_audit' }), button('refresh', changed)),
      h('div', { class: 'tools' }, field('who', f.who), field('method', f.method), field('path', f.path), field('fromWhere', f.peer), field('from', f.from), field('until', f.to)),
      this.said, this.table.root, this.more);
  }

  get query() {
    const f = this.filters;
    const time = (input) => (input.value ? new Date(input.value).toISOString() : '');
    return { who: f.who.value.trim(), method: f.method.value, path: f.path.value.trim(), peer: f.peer.value.trim(), from: time(f.from), to: time(f.to) };
  }

  async load(more = false) {
    const mine = ++this.asked;
    const r = await call('GET', `/audit?${query({ ...this.query, limit: PAGE, cursor: more ? this.next : '' })}`);
    if (mine !== this.asked) return;
    if (r.ok) {
      this.items = more ? [...this.items, ...r.data.items] : r.data.items;
      this.next = r.data.next;
    }
    this.said.textContent = trouble(r) || (this.items.length ? '' : t('noDeeds'));
    this.more.hidden = !this.next;
    this.table.draw(this.items.map((e) => h('tr', {}, h('td', { text: when(e.at) }), h('td', { text: e.who }), h('td', { text: e.role === 'none' ? '' : t(e.role) }), h('td', { text: e.peer }),
      h('td', { text: e.method }), h('td', { class: 'wide', text: e.path }), h('td', { class: e.status >= 400 ? 'bad' : '', text: e.status }))));
  }

  show() {
    this.load();
  }

  hide() {}

  language() {
    this.load();
  }
}
