// What all views share: calls of the API, its events, and small helpers.
import { currentLanguage, t } from './i18n.js';
import { recall, remember } from './kept.js';

export { recall, remember };

export const api = '/api/v1';

let denied = () => {};
export const whenDenied = (fn) => { denied = fn; };

// Always an answer: status 0 is no connection. body: an object, or a file. tag: of
// what was read, which is not changed where somebody else has done so since.
export async function call(method, path, body, tag) {
  const isFile = body instanceof Blob;
  try {
    const r = await fetch(api + path, {
      method,
      credentials: 'same-origin',
      headers: { ...(body && { 'Content-Type': isFile ? body.type || 'application/octet-stream' : 'application/json' }), ...(tag && { 'If-Match': tag }) },
      body: isFile ? body : body && JSON.stringify(body),
    });
    if (r.status === 401 && path !== '/login') denied();
    const text = await r.text();
    const json = /json/.test(r.headers.get('Content-Type'));
    return { status: r.status, ok: r.ok, tag: r.headers.get('ETag'), data: text && json ? JSON.parse(text) : text || null };
  } catch (e) {
    return { status: 0, ok: false, data: { detail: t('noServer'), evidence: e.message } };
  }
}

// Of what the server tells in both languages
export const inLanguage = (o, key) => (currentLanguage() === 'zh' && o[`${key}_zh`]) || o[key] || '';
// What went wrong, in a sentence; '' when nothing did.
export const trouble = (r) => (r.ok ? '' : ['detail', 'evidence', 'hint'].map((key) => inLanguage(r.data ?? {}, key)).filter(Boolean).join(' — ') || `HTTP ${r.status}`);

export const query = (o) => Object.entries(o).filter(([, v]) => v).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
export const devicePath = (device) => `/devices/${encodeURIComponent(device)}`;
export const channelPath = (device, channel) => `${devicePath(device)}/channels/${encodeURIComponent(channel)}`;
export const socketUrl = (path) => `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;

// ---- who looks -----------------------------------------------------------------

const ROLES = ['viewer', 'operator', 'admin'];
export let me = { role: 'viewer', scope: null, via: 'none', name: null };
export const setMe = (who) => { me = who; };
export const may = (role) => ROLES.indexOf(me.role) >= ROLES.indexOf(role);
// Whose scope ends somewhere gets no figures of the whole.
export const seesAll = () => !me.scope;

// ---- elements ----------------------------------------------------------------

// h('button', { t: 'retry', onclick: f }, child…): t and label are keys of texts.
export function h(tag, attrs = {}, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) {
    if (v === undefined || v === null || v === false || k === 'value') continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (k === 'text') e.textContent = v;
    else if (k === 't') { e.dataset.t = v; e.textContent = t(v); }
    else if (k === 'label') { e.dataset.tLabel = v; e.setAttribute('aria-label', t(v)); }
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...kids.flat().filter((x) => x !== null && x !== undefined && x !== false && x !== ''));
  if (attrs.value !== undefined) e.value = attrs.value;
  return e;
}

export const button = (key, onclick, attrs = {}) => h('button', { type: 'button', t: key, onclick, ...attrs });
export const field = (key, input) => h('label', {}, h('span', { t: key }), input);
// options: [value, text key or text]
export const select = (options, attrs = {}) => h('select', attrs, options.map(([value, key]) => h('option', { value, t: key })));
// Shown where somebody else has changed what a form was filled with
export const readAgain = (fn) => button('readAgain', fn, { hidden: true, class: 'alone' });
// What happened last, told to who does not see it, too
export const status = () => h('p', { class: 'hint', role: 'status' });

// In the place of what was there; the keyboard stays at what has the same text.
export function redraw(root, kids) {
  const { t: text } = root.contains(document.activeElement) ? document.activeElement.dataset : {};
  root.replaceChildren(...kids);
  if (text) root.querySelector(`[data-t="${text}"]`)?.focus({ preventScroll: true });
}

// Rows are drawn anew while somebody is at one of their buttons: gives what takes the
// keyboard back to the same one.
const CONTROLS = 'button, a[href], select, input';
function keyboardIn(body) {
  const at = document.activeElement;
  const row = body.contains(at) && at.closest('tr');
  if (!row) return () => {};
  const [id, text, n, line] = [row.dataset.id, at.dataset.t, [...row.querySelectorAll(CONTROLS)].indexOf(at), [...body.rows].indexOf(row)];
  return () => {
    const now = id ? [...body.rows].find((r) => r.dataset.id === id) : body.rows[line];
    const controls = [...(now?.querySelectorAll(CONTROLS) ?? [])];
    (controls.find((x) => text && x.dataset.t === text) ?? controls[n] ?? controls.at(-1))?.focus({ preventScroll: true });
  };
}

// A table with these columns (keys of texts; '': of buttons): { root, body, draw(rows) }
export function listing(columns) {
  const body = h('tbody', {});
  const head = h('tr', {}, columns.map((key) => (key ? h('th', { scope: 'col', t: key }) : h('td', {}))));
  const root = h('div', { class: 'scroll', tabindex: 0, role: 'group', label: columns[0] }, h('table', {}, h('thead', {}, head), body));
  const draw = (rows) => {
    const back = keyboardIn(body);
    body.replaceChildren(...rows);
    root.hidden = !rows.length;
    back();
  };
  draw([]);
  return { root, body, draw };
}

// A button that acts while it is held; start and stop may come more than once.
export function whileHeld(b, start, stop) {
  const isPress = (e) => e.key === ' ' || e.key === 'Enter';
  b.addEventListener('pointerdown', (e) => { b.setPointerCapture(e.pointerId); start(); });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) b.addEventListener(end, stop);
  b.addEventListener('keydown', (e) => { if (!e.repeat && isPress(e)) start(); });
  b.addEventListener('keyup', (e) => { if (isPress(e)) stop(); });
  return b;
}

// Nobody looks any more: the window has lost the focus, is left, or hidden.
export function whenUnseen(fn) {
  addEventListener('blur', fn);
  addEventListener('pagehide', fn);
  document.addEventListener('visibilitychange', () => { if (document.hidden) fn(); });
}

// What is removed for good, if it is still as it was when that was asked; null: not
export async function removeAsked(path) {
  const { tag } = await call('GET', path);
  return window.confirm(t('reallyDelete')) ? call('DELETE', path, undefined, tag) : null;
}

// ---- figures -----------------------------------------------------------------

const two = (n) => String(n).padStart(2, '0');
export const dayOf = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
export const clock = (ms) => { const d = new Date(ms); return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`; };
// A time of the API, in the time zone of who looks
export const when = (text) => { const d = new Date(text); return text && !Number.isNaN(d.getTime()) ? `${dayOf(d)} ${clock(d)}` : ''; };
export const span = (s) => (s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}` : `${Math.floor(s / 60)}`) + `:${two(Math.floor(s) % 60)}`;

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const i = n ? Math.min(units.length - 1, Math.floor(Math.log2(n) / 10)) : 0;
  return `${(n / 1024 ** i).toFixed(i ? 1 : 0)} ${units[i]}`;
}

// ---- events ------------------------------------------------------------------

export const EVENTS = ['device', 'channel', 'session', 'alarm', 'command', 'position', 'ptz', 'offer', 'upgrade', 'download', 'voice', 'push', 'recording'];
const listeners = new Set();
const AGAIN_MS = 3000; // a stream that was refused is asked for again
let close = () => {};

// Server-sent events of these kinds: fn(data, kind), until what is returned is
// called. A browser gives up when it is refused, as by a server that restarts.
export function stream(path, kinds, fn, refused = () => {}) {
  let source;
  let timer;
  let ended = false;
  const open = () => {
    source = new EventSource(api + path);
    for (const kind of kinds) {
      source.addEventListener(kind, (e) => {
        let data = null;
        try { data = JSON.parse(e.data); } catch { /* a reset has none */ }
        fn(data, kind);
      });
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(() => { refused(); if (!ended) open(); }, AGAIN_MS);
    };
  };
  open();
  return () => { ended = true; clearTimeout(timer); source.close(); };
}

const tell = (data, kind) => { for (const l of listeners) if (l.kinds.includes(kind)) l.fn(data, kind); };

export function startEvents() {
  stopEvents();
  close = stream('/events', [...EVENTS, 'reset'], tell, () => tell(null, 'reset'));
}

export function stopEvents() {
  close();
  close = () => {};
}

// "device alarm": fn(data, kind) for each, until what is returned is called.
export function listen(kinds, fn) {
  const l = { kinds: kinds.split(' '), fn };
  listeners.add(l);
  return () => listeners.delete(l);
}

// Many calls become one, ms later.
export function soon(fn, ms) {
  let timer;
  return () => { timer ??= setTimeout(() => { timer = undefined; fn(); }, ms); };
}
