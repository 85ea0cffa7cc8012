// What all views share: calls of the API, its events, and small helpers.
import { currentLanguage, t } from './i18n.js';

export const api = '/api/v1';

let denied = () => {};
export const whenDenied = (fn) => { denied = fn; };

// Always an answer: status 0 is no connection.
export async function call(method, path, body) {
  try {
    const r = await fetch(api + path, {
      method,
      credentials: 'same-origin',
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
    });
    if (r.status === 401 && path !== '/login') denied();
    const text = await r.text();
    const json = /json/.test(r.headers.get('Content-Type'));
    return { status: r.status, ok: r.ok, data: text && json ? JSON.parse(text) : text || null };
  } catch (e) {
    return { status: 0, ok: false, data: { detail: t('noServer'), evidence: e.message } };
  }
}

// What went wrong, in a sentence; '' when nothing did.
export const trouble = (r) => (r.ok ? '' : [r.data?.detail, r.data?.evidence, r.data?.hint].filter(Boolean).join(' — ') || `HTTP ${r.status}`);

export const query = (o) => Object.entries(o).filter(([, v]) => v).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
export const devicePath = (device) => `/devices/${encodeURIComponent(device)}`;
export const channelPath = (device, channel) => `${devicePath(device)}/channels/${encodeURIComponent(channel)}`;
export const socketUrl = (path) => `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;

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

export const inLanguage = (o, key) => (currentLanguage() === 'zh' && o[`${key}_zh`]) || o[key] || '';

// ---- events ------------------------------------------------------------------

const KINDS = ['device', 'channel', 'session', 'alarm', 'command', 'position', 'ptz', 'upgrade', 'download', 'voice', 'push', 'recording', 'reset'];
const listeners = new Set();
let source;

export function startEvents() {
  stopEvents();
  source = new EventSource(`${api}/events`);
  for (const kind of KINDS) {
    source.addEventListener(kind, (e) => {
      let data = null;
      try { data = JSON.parse(e.data); } catch { /* a reset has none */ }
      for (const l of listeners) if (l.kinds.includes(kind)) l.fn(data, kind);
    });
  }
}

export function stopEvents() {
  source?.close();
  source = null;
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
