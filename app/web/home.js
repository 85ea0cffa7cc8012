// What there is, what waits for somebody, and what runs.
import { button, bytes, call, field, h, inLanguage, listen, listing, redraw, seesAll, select, soon, status, trouble, when } from './core.js';
import { Enrol } from './enrol.js';
import { addTexts, stepName, t } from './i18n.js';

addTexts({
  en: { devicesOnline: 'Devices online', channelsKnown: 'Channels', picturesLive: 'Live sessions', recordingNow: 'Being recorded', alarmsKept: 'Alarms', recordsKept: 'Recordings', diskFree: 'Free on the disk', downloadsKept: 'Downloads', picturesKept: 'Pictures',
    pending: 'Devices that wait', noPending: 'None waits.', accept: 'Accept', forget: 'Forget', lastSeen: 'Last seen', tries: 'Tries', why: 'Why', accepted: 'It is accepted, and can register now.',
    sessions: 'Sessions', noSessions: 'None runs.', noAlarms: 'No alarms.', peer: 'Address', kind: 'Kind', viewers: 'Viewers', lastAlarms: 'Last alarms', end: 'End', client: 'Device', maker: 'Maker', maker_general: 'any', maker_hikvision: 'Hikvision', maker_dahua: 'Dahua', maker_uniview: 'Uniview', maker_huawei: 'Huawei', menusDiffer: 'Names differ a little between firmware versions.', channelId: 'Channel ID', channelIdText: 'another 20 digits, e.g. 34020000001310000001',
    kind_live: 'live', kind_playback: 'playback', kind_download: 'download', kind_broadcast: 'voice', kind_talk: 'voice' },
  zh: { devicesOnline: '在线设备', channelsKnown: '通道', picturesLive: '实时会话', recordingNow: '正在录像', alarmsKept: '报警', recordsKept: '录像', diskFree: '磁盘剩余', downloadsKept: '下载', picturesKept: '图片',
    pending: '待接入设备', noPending: '没有待接入设备。', accept: '接受', forget: '忽略', lastSeen: '最近出现', tries: '次数', why: '原因', accepted: '已接受，设备可以注册。',
    sessions: '会话', noSessions: '没有会话。', noAlarms: '没有报警。', peer: '地址', kind: '类别', viewers: '观看者', lastAlarms: '最近报警', end: '结束', client: '设备', maker: '厂商', maker_general: '通用', maker_hikvision: '海康威视', maker_dahua: '大华', maker_uniview: '宇视', maker_huawei: '华为', menusDiffer: '不同固件版本的名称略有差异。', channelId: '通道编号', channelIdText: '另一个 20 位数字，例如 34020000001310000001',
    kind_live: '实时', kind_playback: '回放', kind_download: '下载', kind_broadcast: '语音', kind_talk: '语音' },
});

const LOOK_MS = 10000; // figures that no event tells
const EVENTS_MS = 700; // events come in swarms
const SHOWN_MAX = 50; // sessions in the table

// What to type, and what the fields are called in the menus of each maker. '': it is not asked for.
const FIELDS = [['serverId', 'server_id'], ['domain', 'domain'], ['address', 'address'], ['port', 'port'], ['devicePassword', 'password'], ['deviceId', 'deviceId'], ['channelId', 'channelId']];
const MAKERS = {
  general: ['', 'SIP server ID · SIP服务器编码', 'SIP server domain · SIP域', 'SIP server address / IP · SIP服务器地址', 'SIP server port · SIP服务器端口', 'Password · 密码', 'SIP user name, device ID · SIP用户名, 设备编号', 'Channel ID · 通道编码'],
  hikvision: ['配置 › 网络 › 高级配置 › 平台接入 › GB28181 (Configuration › Network › Advanced Settings › Platform Access)', 'SIP服务器ID (SIP Server ID)', 'SIP服务器域 (SIP Server Domain)', 'SIP服务器地址 (SIP Server Address)', 'SIP服务器端口 (SIP Server Port)', '密码, 密码确认 (Password)', 'SIP用户名, SIP用户认证ID (SIP User Name, SIP User Authentication ID)', '视频通道编码ID (Video Channel ID)'],
  dahua: ['设置 › 网络设置 › 平台接入 › GB28181 (Setting › Network › Platform Access)', 'SIP服务器编号 (SIP Server No.)', 'SIP域 (SIP Domain)', 'SIP服务器IP (SIP Server IP)', 'SIP服务器端口 (SIP Server Port)', '注册密码 (Registration Password)', '设备编号 (Device No.)', '通道编号 (Channel No.)'],
  uniview: ['配置 › 网络 › 管理服务器 › GB/T28181 (Setup › Network › Management Server)', '服务器ID (Server ID)', '', '服务器地址 (Server Address)', '服务器端口 (Server Port)', '注册密码 (Registration Password)', '设备ID (Device ID)', '视频通道ID (Video Channel ID)'],
  huawei: ['设置 › 平台接入 › T28181 (Settings › Platform Connection › T28181)', 'SIP服务器ID (SIP Server ID)', '', 'SIP服务器IP (SIP Server IP)', 'SIP服务器端口 (SIP Server Port)', '密码 (Password)', '设备ID (Device ID)', '视频通道ID (Camera ID)'],
};

export default class Home {
  constructor(root, shell) {
    this.shell = shell;
    this.said = status();
    this.tiles = h('dl', { class: 'tiles' });
    this.hints = h('tbody', {});
    this.maker = select(Object.keys(MAKERS).map((m) => [m, `maker_${m}`]), { onchange: () => this.hint() });
    this.menu = h('p', { class: 'hint' });
    this.welcome = h('section', { id: 'welcome', class: 'card', hidden: true }, h('h2', { t: 'welcome' }), h('p', { t: 'welcomeText' }),
      h('div', { class: 'tools' }, field('maker', this.maker)), this.menu,
      h('div', { class: 'scroll' }, h('table', {}, this.hints)));
    this.pending = listing(['client', 'peer', 'why', 'tries', 'lastSeen', '']);
    this.sessions = listing(['where', 'kind', 'recorderState', 'over', 'codec', 'viewers', '']);
    this.alarms = listing(['time', 'where', 'priority', 'description']);
    this.noPending = h('p', { class: 'hint', t: 'noPending' });
    this.noSessions = h('p', { class: 'hint', t: 'noSessions' });
    this.noAlarms = h('p', { class: 'hint', t: 'noAlarms' });
    this.showHints = button('welcome', () => { this.asked = !this.asked; this.welcome.hidden = !this.asked; if (this.asked) this.hint(); }, { 'aria-expanded': 'false' });
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_home' }), this.showHints), this.said, this.welcome, this.tiles,
      h('section', { class: 'stack' }, h('h2', { t: 'pending' }), this.noPending, this.pending.root, new Enrol().root), h('h2', { t: 'sessions' }), this.noSessions, this.sessions.root,
      h('h2', {}, h('a', { href: '#/alarms', t: 'lastAlarms' })), this.noAlarms, this.alarms.root);
    const again = soon(() => { if (this.shown && !document.hidden) this.load(); }, EVENTS_MS);
    listen('device session alarm download recording reset', again);
  }

  show() {
    this.shown = true;
    this.treeDrawn();
    this.load();
    clearInterval(this.timer);
    this.timer = setInterval(() => { if (!document.hidden) this.load(); }, LOOK_MS);
  }

  hide() {
    this.shown = false;
    clearInterval(this.timer);
  }

  // The first run: until there is a device, what to type into one.
  treeDrawn() {
    this.welcome.hidden = !seesAll() || !(this.asked || this.shell.devices === 0);
    this.showHints.hidden = this.noPending.parentNode.hidden = !seesAll();
    this.showHints.setAttribute('aria-expanded', String(!this.welcome.hidden));
    if (!this.welcome.hidden) this.hint();
  }

  async hint() {
    if (!seesAll()) return;
    const r = await call('GET', '/setup-hints');
    if (!r.ok) return;
    const value = { ...r.data, address: r.data.addresses.join(', ') || location.hostname, port: `${r.data.port} (UDP, TCP)`, deviceId: t('deviceIdText'), channelId: t('channelIdText') };
    const [menu, ...names] = MAKERS[this.maker.value];
    this.menu.textContent = menu && `${menu}. ${t('menusDiffer')}`;
    this.hints.replaceChildren(...FIELDS.flatMap(([key, from], i) => (value[from] && names[i] ? [h('tr', {}, h('th', { scope: 'row', text: t(key) }), h('td', { class: 'wide' }, from.endsWith('Id') ? value[from] : h('code', { text: value[from] })),
      h('td', { class: 'wide hint', text: names[i] }))] : [])));
  }

  async figures() {
    if (!seesAll()) return () => NaN;
    const r = await fetch('/metrics', { credentials: 'same-origin' }).catch(() => null);
    const text = r?.ok ? await r.text() : '';
    return (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
  }

  async load() {
    const [figure, pending, sessions, alarms, recorders, downloads, pictures] = await Promise.all([this.figures(), seesAll() ? call('GET', '/pending') : { ok: true, data: { items: [] } }, call('GET', '/sessions?limit=500'),
      call('GET', '/alarms?limit=5'), call('GET', '/recorders?limit=10000'), call('GET', '/downloads?limit=500'), call('GET', '/pictures?limit=500')]);
    if (!this.shown) return;
    this.said.textContent = trouble(pending);
    const items = (r) => (r.ok ? r.data.items : []);
    const sum = (list, key) => bytes(list.reduce((n, x) => n + (x[key] || 0), 0));
    const online = figure('gb28181_devices{state="online"}');
    const running = items(sessions).filter((s) => s.state !== 'failed');
    this.tile([['devicesOnline', `${online} / ${online + figure('gb28181_devices{state="offline"}')}`, '#/settings'], ['channelsKnown', figure('gb28181_channels'), '#/live'],
      ['picturesLive', running.filter((s) => s.kind === 'live').length, '#/wall'], ['recordingNow', items(recorders).filter((x) => x.state === 'recording').length, '#/records'],
      ['recordsKept', `${figure('gb28181_recorded_segments')} · ${bytes(figure('gb28181_recorded_bytes'))}`, '#/records'],
      ['diskFree', `${bytes(figure('gb28181_disk_free_bytes{dir="record"}'))} / ${bytes(figure('gb28181_disk_size_bytes{dir="record"}'))}`, '#/records'], ['alarmsKept', alarms.ok ? alarms.data.total : 0, '#/alarms'], ['downloadsKept', `${items(downloads).length} · ${sum(items(downloads), 'bytes')}`, '#/downloads'],
      ['picturesKept', `${items(pictures).length} · ${sum(items(pictures), 'size')}`, '#/alarms']]);
    this.drawPending(items(pending));
    this.drawSessions(running);
    this.noAlarms.hidden = items(alarms).length > 0;
    this.alarms.draw(items(alarms).map((a) => h('tr', {}, h('td', { text: when(a.received_at) }), this.shell.names.cell(a.device, a.channel),
      h('td', { text: a.priority === '0' ? '' : a.priority }), h('td', { class: 'wide', text: [inLanguage(a, 'type_name') || inLanguage(a, 'method_name'), a.description].filter(Boolean).join(' · ') }))));
  }

  tile(list) {
    redraw(this.tiles, list.filter(([, v]) => !String(v).includes('NaN')).map(([key, v, href]) => h('div', { class: 'card' }, h('dt', {}, h('a', { href, t: key })), h('dd', { text: v }))));
  }

  drawPending(list) {
    this.noPending.hidden = list.length > 0;
    this.pending.draw(list.map((p) => h('tr', { 'data-id': p.id }, h('td', {}, h('b', { text: p.id }), h('span', { class: 'id', text: p.user_agent })), h('td', { text: `${p.transport} ${p.address}` }),
      h('td', { class: 'wide', text: inLanguage(p, 'reason') }), h('td', { text: p.tries }), h('td', { text: when(p.last_at) }),
      h('td', { class: 'acts', 'data-needs': 'admin' }, button('accept', () => this.act('POST', `/pending/${encodeURIComponent(p.id)}/accept`, 'accepted')), button('forget', () => this.act('DELETE', `/pending/${encodeURIComponent(p.id)}`))))));
  }

  drawSessions(list) {
    this.noSessions.hidden = list.length > 0;
    this.sessions.draw(list.slice(0, SHOWN_MAX).map((s) => h('tr', { 'data-id': s.id }, this.shell.names.cell(s.device, s.channel), h('td', { text: [t(`kind_${s.kind}`).replace('kind_', ''), t(s.stream)].filter(Boolean).join(' · ') }),
      h('td', { text: stepName(s.step) }), h('td', { text: s.transport }), h('td', { text: [s.video, s.audio === 'none' ? '' : s.audio, s.width ? `${s.width}×${s.height}` : ''].filter(Boolean).join(' ') }), h('td', { text: s.consumers }),
      h('td', { class: 'acts' }, s.kind === 'live' ? button('toPicture', () => this.shell.go('live', s.device, s.channel)) : '', button('end', () => this.act('DELETE', `/sessions/${s.id}`), { 'data-needs': 'operator' })))));
  }

  async act(method, path, good) {
    const r = await call(method, path);
    await this.load();
    this.said.textContent = trouble(r) || (good ? t(good) : '');
  }

  language() {
    this.treeDrawn();
    if (this.shown) this.load();
  }
}
