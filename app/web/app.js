// The page: login, device tree, one picture, and what failed when there is none.
import { Doctor } from './doctor.js';
import { t, stepName, stepOrder, translate, switchLanguage } from './i18n.js';
import { Past } from './past.js';
import { Player, canPlay } from './player.js';
import { Ptz } from './ptz.js';
import { Talk } from './talk.js';

const $ = (id) => document.getElementById(id);
const api = '/api/v1';

async function call(method, path, body) {
  const r = await fetch(api + path, {
    method,
    credentials: 'same-origin',
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  if (r.status === 401 && path !== '/login') showLogin();
  const text = await r.text();
  return { status: r.status, ok: r.ok, data: text ? JSON.parse(text) : null };
}

// ---- login -----------------------------------------------------------------

function showLogin() {
  stopEvents();
  past.clear();
  player.close();
  $('work').hidden = $('logout').hidden = true;
  $('login').hidden = false;
  $('password').focus();
}

async function showWork() {
  $('login').hidden = true;
  $('work').hidden = $('logout').hidden = false;
  await loadTree();
  startEvents();
}

$('login-form').addEventListener('submit', async (e) => {
  e.preventDefault();
  $('login-error').textContent = '';
  const r = await call('POST', '/login', { password: $('password').value });
  if (r.ok) {
    $('password').value = '';
    showWork();
  } else {
    $('login-error').textContent = r.status === 429 ? t('loginWait') : t('loginBad');
  }
});

$('logout').addEventListener('click', async () => {
  await call('POST', '/logout');
  showLogin();
});

// ---- tree ------------------------------------------------------------------

const devices = new Map(); // id -> { data, open, channels }
let nextCursor = null;
let chosen = null; // { device, channel }

const query = (o) => Object.entries(o).filter(([, v]) => v).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');

async function loadTree(more = false) {
  const q = $('search').value.trim();
  const r = await call('GET', `/devices?${query({ limit: 200, q, cursor: more ? nextCursor : '' })}`);
  if (!r.ok) return;
  const open = new Set([...devices].filter(([, d]) => d.open).map(([id]) => id));
  if (!more) devices.clear();
  for (const d of r.data.items) devices.set(d.id, { data: d, open: open.has(d.id), channels: null });
  nextCursor = r.data.next;
  $('more').hidden = !nextCursor;
  // a small site is opened at once
  if (!more && devices.size <= 8) for (const d of devices.values()) d.open = true;
  await Promise.all([...devices.values()].filter((d) => d.open && !d.channels).map(loadChannels));
  renderTree();
  summarize(r.data.total);
  if (!chosen) welcome(r.data.total === 0 && !q);
}

const openNodes = new Set(); // "device/parent/child", what stands open inside devices
const playable = (n) => n.listed && ['channel', 'unknown', 'audio'].includes(n.kind);

// The catalog as the device arranges it: one level, and those below that stand open.
async function loadNodes(device, parent, path) {
  const r = await call('GET', `/devices/${encodeURIComponent(device)}/tree?${query({ limit: 500, parent })}`);
  const nodes = r.ok ? r.data.items : [];
  await Promise.all(nodes.map(async (n) => {
    n.path = `${path}/${n.id}`;
    n.nodes = n.children && openNodes.has(n.path) ? await loadNodes(device, n.id, n.path) : null;
  }));
  return nodes;
}

async function loadChannels(d) {
  d.channels = await loadNodes(d.data.id, '', d.data.id);
}

function findNode(nodes, id) {
  for (const n of nodes ?? []) {
    const found = n.id === id ? n : findNode(n.nodes, id);
    if (found) return found;
  }
  return null;
}

function summarize(total) {
  const online = [...devices.values()].filter((d) => d.data.online).length;
  $('summary').textContent = total ? `${online} / ${total} ${t('online')}` : t('noDevices');
}

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function row(online, label, id, twist) {
  const r = element('div', 'row');
  r.append(element('span', 'twist', twist));
  r.append(element('span', `dot${online ? ' on' : ''}`));
  r.append(element('span', 'label', label || id));
  if (label) r.append(element('span', 'id', id));
  r.title = `${id} ${t(online ? 'online' : 'offline')}`;
  return r;
}

function renderTree() {
  const tree = $('tree');
  const focused = document.activeElement?.dataset?.key;
  tree.replaceChildren(...[...devices.values()].map(deviceItem));
  const first = tree.querySelector('[role=treeitem]');
  if (first) first.tabIndex = 0;
  if (focused) tree.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function deviceItem(d) {
  const li = element('li');
  li.setAttribute('role', 'treeitem');
  li.setAttribute('aria-expanded', d.open);
  li.dataset.key = d.data.id;
  li.tabIndex = -1;
  const r = row(d.data.online, d.data.name, d.data.id, d.open ? '▾' : '▸');
  r.append(element('span', 'count', d.data.channels));
  r.addEventListener('click', () => toggle(d));
  li.append(r);
  if (d.open && d.channels) {
    const ul = element('ul');
    ul.setAttribute('role', 'group');
    ul.append(...d.channels.map((c) => channelItem(d, c)));
    li.append(ul);
  }
  return li;
}

function channelItem(d, c) {
  const li = element('li');
  const open = Boolean(c.nodes);
  li.setAttribute('role', 'treeitem');
  li.dataset.key = c.path;
  li.tabIndex = -1;
  li.setAttribute('aria-selected', Boolean(chosen && chosen.device === d.data.id && chosen.channel === c.id));
  const r = row(d.data.online && c.online !== false, c.name === c.id ? '' : c.name, c.id, c.children ? (open ? '▾' : '▸') : '');
  if (c.children) {
    li.setAttribute('aria-expanded', open);
    r.append(element('span', 'count', c.children));
    r.firstChild.addEventListener('click', (e) => { e.stopPropagation(); toggleNode(d, c); });
  }
  r.addEventListener('click', () => (playable(c) ? choose(d.data.id, c) : toggleNode(d, c)));
  li.append(r);
  if (open) {
    const ul = element('ul');
    ul.setAttribute('role', 'group');
    ul.append(...c.nodes.map((n) => channelItem(d, n)));
    li.append(ul);
  }
  return li;
}

async function toggleNode(d, n) {
  if (!n.children) return;
  if (n.nodes) openNodes.delete(n.path);
  else openNodes.add(n.path);
  n.nodes = n.nodes ? null : await loadNodes(d.data.id, n.id, n.path);
  renderTree();
}

async function toggle(d) {
  d.open = !d.open;
  if (d.open && !d.channels) await loadChannels(d);
  renderTree();
}

$('tree').addEventListener('keydown', (e) => {
  const items = [...$('tree').querySelectorAll('[role=treeitem]')];
  const at = items.indexOf(document.activeElement);
  if (at < 0) return;
  const item = items[at];
  const twist = () => item.firstChild.firstChild.click();
  const go = (i) => items[Math.max(0, Math.min(items.length - 1, i))].focus();
  if (e.key === 'ArrowDown') go(at + 1);
  else if (e.key === 'ArrowUp') go(at - 1);
  else if (e.key === 'Home') go(0);
  else if (e.key === 'End') go(items.length - 1);
  else if (e.key === 'Enter' || e.key === ' ') item.firstChild.click();
  else if (e.key === 'ArrowRight' && item.ariaExpanded === 'false') twist();
  else if (e.key === 'ArrowLeft' && item.ariaExpanded === 'true') twist();
  else return;
  e.preventDefault();
});

let searchTimer;
$('search').addEventListener('input', () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => loadTree(), 250);
});
$('more').addEventListener('click', () => loadTree(true));

// ---- nothing connected yet ---------------------------------------------------

async function welcome(show) {
  $('welcome').hidden = !show;
  if (!show) return;
  const r = await call('GET', '/setup-hints');
  if (!r.ok) return;
  const rows = [['serverId', r.data.server_id], ['domain', r.data.domain], ['address', r.data.addresses.join(', ') || location.hostname],
    ['port', `${r.data.port} (UDP, TCP)`], ['devicePassword', r.data.password], ['deviceId', t('deviceIdText')]];
  $('hints').replaceChildren(...rows.flatMap(([k, v]) => (v ? [element('dt', '', t(k)), element('dd', '', v)] : [])));
  const p = await call('GET', '/pending?limit=5');
  if (!p.ok || p.data.items.length === 0) return;
  const list = element('ul');
  list.append(...p.data.items.map((x) => element('li', '', `${x.id}  ${x.address}  ${x.reason}`)));
  $('knocking').replaceChildren(element('p', 'hint', t('knocking')), list);
}

// ---- events ------------------------------------------------------------------

let events;
let refreshTimer;

function refreshSoon() {
  if (refreshTimer) return;
  refreshTimer = setTimeout(() => { refreshTimer = null; loadTree(); }, 700);
}

function startEvents() {
  stopEvents();
  events = new EventSource(`${api}/events`);
  for (const kind of ['device', 'channel', 'reset']) events.addEventListener(kind, refreshSoon);
}

function stopEvents() {
  if (events) events.close();
  events = null;
}

// ---- the picture ---------------------------------------------------------------

let attempt = 0; // counts up with every choice: late answers are dropped
let reconnects = 0;

const player = new Player($('video'), {
  playing: () => { $('overlay').textContent = ''; reconnects = 0; },
  failed: (text) => problem({ title: t('failed'), evidence: text === 'codec' ? '' : text, hint: t('codecMissing'), step: 'playing' }),
  closed: () => reconnect(),
});

const channelPath = () => `/devices/${encodeURIComponent(chosen?.device)}/channels/${encodeURIComponent(chosen?.channel)}`;
const ptz = new Ptz($('ptz'), call, channelPath);
const talk = new Talk($('talk'), channelPath);
const past = new Past($('past'), { call, path: channelPath, play: playRecording, live: play });

const doctor = new Doctor($('doctor').querySelector('.chain'), {
  call,
  path: channelPath,
  stream: () => $('stream').value,
  transport: (name) => { $('transport').value = name; $('transport').dispatchEvent(new Event('change')); },
  sub: () => { $('stream').value = 'sub'; play(); },
  again: () => play(),
});

function openTools() {
  doctor.clear();
  if ($('doctor').open) doctor.look();
  ptz.stop();
  talk.stop();
  past.clear();
  if ($('ptz').open) ptz.presets();
  if ($('past').open) past.load();
}
$('ptz').addEventListener('toggle', () => chosen && $('ptz').open && ptz.presets());
$('doctor').addEventListener('toggle', () => chosen && $('doctor').open && doctor.look());
$('doctor').querySelector('.examine').addEventListener('click', () => doctor.look(true));
$('past').addEventListener('toggle', () => chosen && $('past').open && past.load());

function choose(device, channel) {
  chosen = { device, channel: channel.id, name: channel.name || channel.id };
  $('welcome').hidden = true;
  $('viewer').hidden = false;
  $('channel-name').textContent = chosen.name;
  document.title = `${chosen.name} – gb28181d`;
  location.hash = `${device}/${channel.id}`;
  reconnects = 0;
  renderTree();
  openTools();
  play();
}

const socketUrl = (path) => `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${path}`;

function playRecording(session) {
  attempt++;
  player.close();
  $('problem').hidden = true;
  $('overlay').textContent = t('waiting');
  $('f-over').textContent = session.transport;
  addresses(session);
  player.open(socketUrl(`/session/${session.session}/ws`));
}

async function play() {
  const mine = ++attempt;
  const { device, channel } = chosen;
  const stream = $('stream').value;
  if (past.session) past.end();
  player.close();
  $('problem').hidden = true;
  $('overlay').textContent = t('starting');
  if (!canPlay()) {
    problem({ title: t('failed'), evidence: t('noMse'), step: 'playing' });
    return;
  }
  const path = `/devices/${encodeURIComponent(device)}/channels/${encodeURIComponent(channel)}/live`;
  const r = await call('POST', path, { transport: $('transport').value, stream });
  if (mine !== attempt) return;
  if (!r.ok) {
    problem(r.data || { title: `HTTP ${r.status}` });
    return;
  }
  $('overlay').textContent = t('waiting');
  $('f-over').textContent = r.data.transport;
  addresses(r.data);
  player.open(socketUrl(`/api/ws?src=${encodeURIComponent(device)}/${encodeURIComponent(channel)}&stream=${stream}`));
}

// Every way to the same stream, each with its signature.
const ways = { flv: 'HTTP-FLV', ws_flv: 'WS-FLV', fmp4: 'HTTP-fMP4', ws_fmp4: 'WS-fMP4', hls: 'HLS', ts: 'MPEG-TS', ps: 'PS', rtsp: 'RTSP',
  mse: 'MSE (go2rtc)', frame: 'MP4' };

function addresses(live) {
  $('urls').replaceChildren(...Object.entries(ways).flatMap(([key, name]) => (
    live[key] ? [element('dt', '', name), element('dd', '', live[key])] : [])));
}

function reconnect() {
  if (!chosen || !$('problem').hidden) return;
  if (past.session) { // the recording has ended, or its session
    player.close();
    past.look();
    return;
  }
  player.close();
  $('overlay').textContent = t('reconnecting');
  const mine = attempt;
  const wait = Math.min(10000, 1000 * 2 ** reconnects++);
  setTimeout(() => { if (mine === attempt && chosen) play(); }, wait);
}

function problem(p) {
  player.close();
  $('overlay').textContent = '';
  $('problem').hidden = false;
  $('problem-title').textContent = `${t('failed')}${p.step ? `: ${t('failedAt')}${stepName(p.step)}` : ''}`;
  const at = stepOrder.indexOf(p.step);
  $('steps').replaceChildren(...(at < 0 ? [] : stepOrder.map((s, i) => element('li', i < at ? 'good' : i === at ? 'bad' : '', stepName(s)))));
  $('problem-evidence').textContent = [p.detail, p.evidence].filter(Boolean).join(' — ');
  $('problem-hint').textContent = p.hint || '';
  if (chosen && $('doctor').open) doctor.look();
  else if (chosen) $('doctor').open = true; // which looks
}

function stop() {
  attempt++;
  ptz.stop();
  talk.stop();
  past.clear();
  player.close();
  chosen = null;
  $('viewer').hidden = true;
  location.hash = '';
  renderTree();
}

function figures() {
  if (!chosen) return;
  const v = $('video');
  const codecs = /codecs="([^"]*)"/.exec(player.codecs);
  $('f-codec').textContent = codecs ? codecs[1] + (/mp4a|flac|opus/.test(codecs[1]) ? '' : ` (${t('noSound')})`) : '–';
  $('f-size').textContent = v.videoWidth ? `${v.videoWidth}×${v.videoHeight}` : '–';
  $('f-bitrate').textContent = player.rate ? `${(player.rate / 1000).toFixed(0)} kbit/s` : '–';
  $('f-delay').textContent = v.videoWidth ? `${Math.max(0, player.delay() * 1000).toFixed(0)} ms` : '–';
}
setInterval(figures, 500);

$('retry').addEventListener('click', play);
$('stop').addEventListener('click', stop);
$('stream').addEventListener('change', () => chosen && play());
$('transport').addEventListener('change', async () => {
  if (!chosen) return;
  await call('DELETE', `/devices/${encodeURIComponent(chosen.device)}/channels/${encodeURIComponent(chosen.channel)}/live?stream=${$('stream').value}`);
  play();
});
$('full').addEventListener('click', () => $('screen').requestFullscreen?.());
// As it was left the last time; where the browser wants a click first it is off.
function showSound() {
  const { muted } = $('video');
  $('sound').setAttribute('aria-pressed', !muted);
  $('sound').dataset.t = muted ? 'soundOn' : 'soundOff';
  $('sound').textContent = t($('sound').dataset.t);
}
$('video').muted = localStorage.getItem('sound') !== 'on';
$('video').addEventListener('volumechange', showSound);
$('sound').addEventListener('click', () => {
  const v = $('video');
  v.muted = !v.muted;
  localStorage.setItem('sound', v.muted ? 'off' : 'on');
  showSound();
});
$('language').addEventListener('click', () => {
  switchLanguage();
  ptz.label();
  past.show();
  doctor.show();
  renderTree();
  if (!$('welcome').hidden) welcome(true);
});
document.addEventListener('visibilitychange', () => {
  // nobody looks: no picture is fetched until somebody does
  if (!chosen || !$('problem').hidden) return;
  if (past.session) return; // it would not be where it was
  if (document.hidden) { attempt++; player.close(); } else play();
});

// ---- start -------------------------------------------------------------------------

showSound();
translate();
ptz.label();
const me = await call('GET', '/me');
if (me.ok) {
  await showWork();
  const [device, channel] = decodeURIComponent(location.hash.slice(1)).split('/');
  if (device && channel) choose(device, findNode(devices.get(device)?.channels, channel) ?? { id: channel });
} else {
  showLogin();
}
