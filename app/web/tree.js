// Devices and their channels, as many as there are: pages come as they are
// scrolled to, and only rows in sight are elements.
import { call, devicePath, h, listen, query, soon } from './core.js';
import { t } from './i18n.js';

const FIRST = 200; // items of the first page of a level; each further one is twice as large
const PAGE_MAX = 5000;
const SPARE = 12; // rows drawn above and below what is seen
const OPEN_AT_ONCE = 8; // a site of so few devices stands open
const SEARCHED_MAX = 20; // devices whose channels are searched, too

export const playable = (n) => n.listed && ['channel', 'unknown', 'audio'].includes(n.kind);

export class Tree {
  // on: { device(id), channel(device, node), drawn(total, online) }; list: the scrolling element
  constructor(list, search, on) {
    Object.assign(this, { list, search, on, chosen: null, q: '', asked: 0, focused: null });
    this.root = { level: 0, kids: [] };
    this.opened = new Set(); // paths of what stands open
    this.rows = [];
    this.space = h('div', { class: 'space', role: 'presentation' });
    list.append(this.space);
    list.addEventListener('scroll', () => this.draw(), { passive: true });
    list.addEventListener('keydown', (e) => this.key(e));
    new ResizeObserver(() => this.draw()).observe(list);
    search.addEventListener('input', () => this.later());
    this.later = (() => { let timer; return () => { clearTimeout(timer); timer = setTimeout(() => this.load(), 250); }; })();
    const reload = soon(() => this.load(), 700);
    listen('reset', reload);
    listen('device', (e) => { if (!this.changed(e)) reload(); });
    listen('channel', (e) => this.channelChanged(e));
  }

  // ---- what is there ----

  // All of it anew, as much as there was.
  async load() {
    const mine = ++this.asked;
    this.q = this.search.value.trim();
    const limit = Math.min(PAGE_MAX, Math.max(FIRST, this.root.kids.length));
    const r = await call('GET', `/devices?${query({ limit, q: this.q })}`);
    if (mine !== this.asked || !r.ok) return;
    const root = { level: 0, kids: r.data.items.map((d) => this.deviceNode(d)), next: r.data.next, total: r.data.total, page: limit };
    if (root.total <= OPEN_AT_ONCE && !this.q) for (const d of root.kids) if (!this.shut?.has(d.path)) this.opened.add(d.path);
    await (this.q ? this.searchChannels(root) : Promise.all(root.kids.filter((d) => this.opened.has(d.path)).map((d) => this.fill(d))));
    if (mine !== this.asked) return;
    this.root = root;
    this.flatten();
    this.on.drawn(root.total, root.kids.filter((d) => d.online).length, root.next !== null, this.q);
  }

  deviceNode(d) {
    return { device: d.id, id: d.id, path: d.id, name: d.name, online: d.online, children: d.channels, level: 1, kids: null, isDevice: true };
  }

  channelNode(n, parent) {
    return { ...n, device: parent.device, path: `${parent.path}/${n.id}`, level: parent.level + 1, kids: null,
      name: n.name === n.id ? '' : n.name };
  }

  // The next page of a node's children, and those of what stands open in it.
  async fill(node) {
    if (node.filling) return;
    node.filling = true;
    const first = !node.kids;
    node.page = first ? FIRST : Math.min(PAGE_MAX, node.page * 2);
    const at = { limit: node.page, cursor: first ? '' : node.next };
    const r = await call('GET', node.level === 0 ? `/devices?${query({ ...at, q: this.q })}`
      : `${devicePath(node.device)}/tree?${query({ ...at, parent: node.isDevice ? '' : node.id })}`);
    const items = r.ok ? r.data.items : [];
    const kids = items.map((n) => (node.level === 0 ? this.deviceNode(n) : this.channelNode(n, node)));
    node.kids = [...(node.kids ?? []), ...kids];
    node.next = r.ok ? r.data.next : null;
    node.filling = false;
    await Promise.all(kids.filter((k) => this.opened.has(k.path) && k.children).map((k) => this.fill(k)));
  }

  // What is found inside devices: of those that were found, or of all of a small site.
  async searchChannels(root) {
    const all = root.kids.length ? root.kids : null;
    const more = await call('GET', `/devices?${query({ limit: SEARCHED_MAX })}`);
    const devices = more.ok && more.data.total <= SEARCHED_MAX ? more.data.items.map((d) => this.deviceNode(d)) : all ?? [];
    await Promise.all(devices.slice(0, SEARCHED_MAX).map(async (d) => {
      const r = await call('GET', `${devicePath(d.id)}/channels?${query({ limit: FIRST, q: this.q })}`);
      if (!r.ok || !r.data.items.length) return;
      const at = root.kids.findIndex((k) => k.id === d.id);
      const node = at < 0 ? d : root.kids[at];
      node.kids = r.data.items.map((c) => ({ ...this.channelNode(c, node), kind: 'channel', listed: true, children: 0 }));
      node.found = true;
      if (at < 0) { root.kids.push(node); root.total++; }
    }));
  }

  changed(e) {
    const d = this.root.kids.find((k) => k.id === e?.id);
    if (!d || e.removed || !e.device || d.children !== e.device.channels) return false;
    Object.assign(d, { name: e.device.name, online: e.device.online });
    this.drawSoon();
    return true;
  }

  channelChanged(e) {
    const d = this.root.kids.find((k) => k.id === e?.device);
    const n = d?.kids && this.find(e.device, e.id);
    if (n && !e.removed) {
      n.online = e.online;
      n.name = e.name === n.id ? '' : e.name;
      this.drawSoon();
    } else if (d) {
      this.refresh ??= soon(() => this.load(), 700);
      this.refresh();
    }
  }

  device(id) {
    return this.root.kids.find((k) => k.id === id);
  }

  find(device, id) {
    const look = (kids) => {
      for (const n of kids ?? []) {
        const found = n.id === id && !n.isDevice ? n : look(n.kids);
        if (found) return found;
      }
      return null;
    };
    return look(this.device(device)?.kids);
  }

  // ---- rows ----

  // Events come in swarms: what they change is drawn once a frame.
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(true); });
  }

  flatten() {
    const rows = [];
    const walk = (node) => {
      node.kids.forEach((k, i) => {
        rows.push({ node: k, at: i + 1, of: node.next ? -1 : node.kids.length });
        if (k.kids && (k.found || this.opened.has(k.path))) walk(k);
      });
      if (node.next) rows.push({ more: node });
    };
    walk(this.root);
    this.rows = rows;
    this.list.toggleAttribute('aria-busy', !rows.length); // a tree without items is none yet
    this.draw(true);
  }

  get height() {
    return this.rowHeight ??= parseFloat(getComputedStyle(this.list).getPropertyValue('--row')) || 30;
  }

  draw(anew = false) {
    const H = this.height;
    const from = Math.max(0, Math.floor(this.list.scrollTop / H) - SPARE);
    const to = Math.min(this.rows.length, Math.ceil((this.list.scrollTop + this.list.clientHeight) / H) + SPARE);
    if (!anew && this.from === from && this.to === to) return;
    this.from = from;
    this.to = to;
    const focused = this.list.contains(document.activeElement) && document.activeElement.dataset.key;
    this.space.style.height = `${this.rows.length * H}px`;
    const key = this.rows[this.focusAt()]?.node?.path;
    this.space.replaceChildren(...this.rows.slice(from, to).map((r, i) => this.row(r, from + i, key)));
    if (focused) this.space.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  row(r, i, focusKey) {
    const style = `top:${i * this.height}px`;
    if (r.more) {
      if (!r.more.filling) this.fill(r.more).then(() => this.flatten());
      return h('div', { class: 'row more', role: 'treeitem', 'aria-level': (r.more.level ?? 0) + 1, style, text: t('loading') });
    }
    const n = r.node;
    const opens = n.isDevice || n.children > 0;
    const open = opens && (n.found || this.opened.has(n.path));
    const is = this.chosen && this.chosen[0] === n.device && (n.isDevice ? !this.chosen[1] : this.chosen[1] === n.id);
    const e = h('div', { class: `row${n.isDevice ? ' device' : ''}`, role: 'treeitem', style: `${style};--level:${n.level - 1}`, 'data-key': n.path,
      tabindex: n.path === focusKey ? 0 : -1, 'aria-level': n.level, 'aria-posinset': r.at, 'aria-setsize': r.of,
      'aria-selected': is ? 'true' : 'false', 'aria-expanded': opens ? String(Boolean(open)) : undefined,
      title: `${n.id} ${t(this.isOn(n) ? 'online' : 'offline')}`, draggable: playable(n) ? 'true' : undefined },
    h('span', { class: 'twist', text: opens ? (open ? '▾' : '▸') : '', onclick: (ev) => { if (opens) { ev.stopPropagation(); this.toggle(n); } } }),
    h('span', { class: `dot${this.isOn(n) ? ' on' : ''}` }),
    h('span', { class: 'label', text: n.name || n.id, title: n.name ? `${n.name} ${n.id}` : null }),
    n.name ? h('span', { class: 'id', text: n.id }) : '',
    n.children ? h('span', { class: 'count', text: n.children }) : '');
    e.addEventListener('click', () => this.act(n));
    e.addEventListener('dragstart', (ev) => ev.dataTransfer.setData('text/plain', JSON.stringify([n.device, n.id, n.name || n.id])));
    return e;
  }

  isOn(n) {
    const d = n.isDevice ? n : this.root.kids.find((k) => k.id === n.device);
    return Boolean(d?.online && n.online !== false);
  }

  act(n) {
    this.focused = n.path;
    if (n.isDevice) { if (!this.on.device(n.id)) this.toggle(n); } else if (playable(n)) this.on.channel(n.device, n);
    else this.toggle(n);
  }

  async toggle(n) {
    if (!n.isDevice && !n.children) return;
    this.shut ??= new Set(); // what was shut by hand stays so
    n.found = false;
    if (this.opened.delete(n.path)) {
      this.shut.add(n.path);
    } else {
      this.opened.add(n.path);
      this.shut.delete(n.path);
      if (!n.kids) await this.fill(n);
    }
    this.flatten();
  }

  // [device, channel], or null
  choose(chosen) {
    this.chosen = chosen;
    this.draw(true);
  }

  // ---- keys ----

  focusAt() {
    const at = this.rows.findIndex((r) => r.node?.path === this.focused);
    return at < 0 ? 0 : at;
  }

  go(i) {
    const at = Math.max(0, Math.min(this.rows.length - 1, i));
    const r = this.rows[at];
    if (!r?.node) return;
    const H = this.height;
    this.focused = r.node.path;
    if (at * H < this.list.scrollTop) this.list.scrollTop = at * H;
    if ((at + 1) * H > this.list.scrollTop + this.list.clientHeight) this.list.scrollTop = (at + 1) * H - this.list.clientHeight;
    this.draw(true);
    this.space.querySelector(`[data-key="${CSS.escape(this.focused)}"]`)?.focus({ preventScroll: true });
  }

  key(e) {
    const at = this.rows.findIndex((r) => r.node && r.node.path === document.activeElement?.dataset.key);
    if (at < 0) return;
    const n = this.rows[at].node;
    const open = this.opened.has(n.path) || n.found;
    const screen = Math.max(1, Math.floor(this.list.clientHeight / this.height) - 1);
    this.focused = n.path;
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.rows.length - 1 - (this.rows.at(-1).more ? 1 : 0), PageDown: at + screen, PageUp: at - screen };
    if (e.key in moves) this.go(moves[e.key]);
    else if (e.key === 'Enter' || e.key === ' ') this.act(n);
    else if (e.key === 'ArrowRight' && !open) this.toggle(n);
    else if (e.key === 'ArrowRight') this.go(at + 1);
    else if (e.key === 'ArrowLeft' && open && (n.isDevice || n.children)) this.toggle(n);
    else if (e.key === 'ArrowLeft') this.go(this.rows.findIndex((r) => r.node?.path === n.path.slice(0, n.path.lastIndexOf('/'))));
    else return;
    e.preventDefault();
  }
}
