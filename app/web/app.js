// The shell: login, the tree beside the views, and which view is shown. A view is
// a module whose default export is a class: new View(root, shell), then
// show(device, channel), hide(), and language() when the texts have changed.
import { call, h, may, me, redraw, setMe, startEvents, stopEvents, whenDenied } from './core.js';
import { currentLanguage, switchLanguage, t, translate } from './i18n.js';
import { Names } from './names.js';
import { Tree } from './tree.js';

const $ = (id) => document.getElementById(id);

// name, what its address holds behind that, and whether the tree stands beside it
const VIEWS = {
  home: { tree: true },
  live: { of: 'channel', tree: true },
  wall: { tree: true },
  map: {},
  alarms: {},
  records: { of: 'channel', tree: true },
  downloads: { of: 'channel', tree: true },
  settings: { of: 'channel', tree: true },
  trace: { of: 'channel', tree: true, needs: 'operator' },
  outputs: { of: 'channel', tree: true, needs: 'admin' },
  access: {},
  audit: { needs: 'admin' },
  log: { needs: 'admin' },
  server: { needs: 'admin' },
};
const FIRST = 'home';

// ---- login -------------------------------------------------------------------

function showLogin() {
  stopEvents();
  current?.view.hide();
  current = null;
  $('me').textContent = '';
  $('work').hidden = $('logout').hidden = $('views').hidden = $('devices').hidden = $('skip').hidden = true;
  $('login').hidden = false;
  $('password').focus();
}

// Who it is decides what is shown: elements with data-needs are hidden by style.css.
async function showWork() {
  const asked = await call('GET', '/login'); // a 401 would be a fault on the console
  const r = asked.data?.in ? await call('GET', '/me') : asked;
  if (!asked.data?.in || !r.ok) {
    showLogin();
    return;
  }
  setMe(r.data);
  document.body.dataset.role = me.role;
  $('me').textContent = me.name ?? '';
  $('login').hidden = true;
  $('work').hidden = $('views').hidden = $('skip').hidden = false;
  $('logout').hidden = me.via !== 'cookie';
  startEvents();
  await Promise.all([tree.load(), route()]);
}

$('login-form').addEventListener('submit', async (e) => {
  e.preventDefault();
  $('login-error').textContent = '';
  const r = await call('POST', '/login', { name: $('username').value.trim(), password: $('password').value });
  if (r.ok) {
    $('password').value = '';
    showWork();
  } else {
    $('login-error').textContent = r.status === 429 ? t('loginWait') : r.status === 0 ? t('noServer') : t('loginBad');
  }
});

$('skip').addEventListener('click', () => $('stage').focus());

$('logout').addEventListener('click', async () => {
  await call('POST', '/logout');
  location.reload(); // nothing that he saw stays for who comes next
});

// ---- which view --------------------------------------------------------------

let current = null; // { name, view, section }
let chosen = []; // device, channel: goes along from view to view
const made = new Map();

const addressOf = (name) => `#/${[name, ...(VIEWS[name].of ? chosen : [])].map(encodeURIComponent).join('/')}`;

function drawLinks() {
  redraw($('views'), Object.keys(VIEWS).filter((name) => may(VIEWS[name].needs ?? 'viewer')).map((name) => h('a', { href: addressOf(name), t: `view_${name}`,
    'aria-current': current?.name === name ? 'page' : undefined })));
  $('views').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

async function make(name) {
  if (!made.has(name)) {
    const { default: View } = await import(`./${name}.js`);
    if (made.has(name)) return made.get(name); // asked for twice meanwhile
    const section = $(`view-${name}`) ?? $('stage').appendChild(h('section', { id: `view-${name}`, class: 'view' }));
    made.set(name, { name, section, view: new View(section, shell) });
    translate(section); // what stands in index.html, by texts that have come with the view
  }
  return made.get(name);
}

// What the address names; the first view for what is none, or not for this role.
function address() {
  let parts = [];
  try {
    parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
  } catch { /* a % that stands alone */ }
  if (/^\d/.test(parts[0] ?? '')) parts.unshift('live'); // as addresses were
  const [name, ...at] = parts;
  return Object.hasOwn(VIEWS, name ?? '') && may(VIEWS[name].needs ?? 'viewer') ? { name, at } : { name: FIRST, at: [] };
}

let routing = 0;

async function route() {
  const mine = ++routing;
  const { name, at } = address();
  const next = await make(name).catch(() => null);
  if (mine !== routing || $('work').hidden) return;
  $('not-loaded').hidden = Boolean(next);
  if (!next) return;
  if (current && current !== next) current.view.hide();
  current = next;
  if (VIEWS[name].of) chosen = at.slice(0, 2);
  for (const m of made.values()) m.section.hidden = m !== next;
  $('side').hidden = $('devices').hidden = !VIEWS[name].tree;
  sideOpen(false);
  document.title = `${t(`view_${name}`)} – gb28181d`;
  tree.choose(VIEWS[name].of ? chosen : null);
  drawLinks();
  next.view.show(...at);
}

function go(name, ...at) {
  const hash = `#/${[name, ...at].map(encodeURIComponent).join('/')}`;
  if (location.hash === hash) route();
  else location.hash = hash;
}
addEventListener('hashchange', () => { if (!$('work').hidden) route(); });

// On a phone the tree comes and goes.
function sideOpen(open) {
  $('side').classList.toggle('open', open);
  $('devices').setAttribute('aria-expanded', open);
}
$('devices').addEventListener('click', () => sideOpen(!$('side').classList.contains('open')));

// ---- the tree ----------------------------------------------------------------

const tree = new Tree($('tree'), $('search'), {
  channel: (device, node) => {
    if (current?.view.put) current.view.put(device, node.id, node.name || node.id);
    else go(VIEWS[current?.name]?.of ? current.name : 'live', device, node.id);
  },
  // true: the view shows devices; else the row opens
  device: (id) => {
    if (VIEWS[current?.name]?.of !== 'channel' || !current.view.takesDevice) return false;
    go(current.name, id);
    return true;
  },
  drawn: (total, online, partly, q) => {
    $('summary').textContent = !total ? t(q ? 'nothingFound' : 'noDevices') : partly ? `${total} ${t('devices')}` : `${online} / ${total} ${t('online')}`;
    if (!performance.getEntriesByName('tree').length) performance.mark('tree'); // since the page was asked for
    if (!q) shell.devices = total;
    current?.view.treeDrawn?.();
  },
});

const shell = {
  devices: 0,
  tree,
  go,
  names: new Names(tree),
};

$('language').addEventListener('click', () => {
  switchLanguage();
  if ($('work').hidden) return;
  for (const m of made.values()) m.view.language?.();
  drawLinks();
  tree.load();
});

// ---- start -------------------------------------------------------------------

whenDenied(showLogin);
document.documentElement.lang = currentLanguage();
translate();
await showWork();
