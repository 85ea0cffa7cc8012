// What goes out by itself: channels that are pushed to other servers, and events
// that are told to URLs.
import { EVENTS, button, bytes, call, channelPath, field, h, inLanguage, listen, listing, readAgain, removeAsked, select, soon, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { out_waiting: 'waiting', out_starting: 'starting', out_connecting: 'connecting', out_live: 'live', out_ending: 'ending', out_idle: 'idle', out_calling: 'calling', out_off: 'off', pushes: 'Pushes', pushTo: 'Push to (rtsp, rtmp, rtsps or rtmps, one URL a line, four at most)', noPushes: 'No channel is pushed. Choose one in the tree.', pushNone: 'Push no more', target: 'To', sentBytes: 'Sent',
    hooks: 'Webhooks', noHooks: 'There are none.', addHook: 'Add a webhook', hookUrl: 'URL', hookEvents: 'Events (none chosen: all)', hookSecret: 'Secret (empty: one is made)', testHook: 'Test', turnOn: 'Turn on', turnOff: 'Turn off',
    secretOnce: 'Its secret, told this once:', delivered: 'Delivered', queued: 'Waiting', ofConfiguration: 'from the configuration', testSent: 'The test event is on its way.', lastStatus: 'Last answer',
    ev_device: 'device', ev_channel: 'channel', ev_session: 'session', ev_alarm: 'alarm', ev_command: 'command', ev_position: 'position', ev_ptz: 'movement', ev_offer: 'offer of video', ev_upgrade: 'upgrade', ev_download: 'download', ev_voice: 'voice', ev_push: 'push', ev_recording: 'recording' },
  zh: { out_waiting: '等待重试', out_starting: '启动中', out_connecting: '连接中', out_live: '推流中', out_ending: '停止中', out_idle: '空闲', out_calling: '发送中', out_off: '停用', pushes: '推流', pushTo: '推送到（rtsp、rtmp、rtsps 或 rtmps 地址，每行一个，最多四个）', noPushes: '没有推流通道，请在设备树中选择。', pushNone: '停止推流', target: '目标', sentBytes: '已发送',
    hooks: 'Webhook', noHooks: '没有 Webhook。', addHook: '添加 Webhook', hookUrl: '地址', hookEvents: '事件（不选为全部）', hookSecret: '密钥（留空自动生成）', testHook: '测试', turnOn: '启用', turnOff: '停用',
    secretOnce: '密钥仅显示这一次：', delivered: '已送达', queued: '等待', ofConfiguration: '来自配置', testSent: '测试事件已发出。', lastStatus: '最近应答',
    ev_device: '设备', ev_channel: '通道', ev_session: '会话', ev_alarm: '报警', ev_command: '命令', ev_position: '位置', ev_ptz: '云台', ev_offer: '请求上传视频', ev_upgrade: '升级', ev_download: '下载', ev_voice: '语音', ev_push: '推流', ev_recording: '录像' },
});

const URLS_MAX = 4;
const LOOK_MS = 5000; // figures that no event tells

class Pushes {
  constructor(shell) {
    this.shell = shell;
    this.said = status();
    this.table = listing(['where', 'target', 'stream', 'recorderState', 'sentBytes', 'since', '']);
    this.title = h('h3', {});
    this.urls = h('textarea', { rows: URLS_MAX, cols: 60, spellcheck: 'false' });
    this.stream = select([['main', 'main'], ['sub', 'sub']]);
    this.again = readAgain(() => this.show(this.at));
    this.form = h('form', { class: 'card stack', hidden: true, onsubmit: (e) => { e.preventDefault(); this.save(); } }, this.title, h('label', { class: 'above' }, h('span', { t: 'pushTo' }), this.urls),
      h('div', { class: 'tools' }, field('stream', this.stream), h('button', { type: 'submit', t: 'save' }), button('pushNone', () => this.drop()), this.again));
    this.root = h('section', { class: 'stack' }, h('h2', { t: 'pushes' }), this.said, this.form, this.table.root);
  }

  get path() {
    return `${channelPath(this.at.device, this.at.channel)}/push`;
  }

  async show(at) {
    this.at = at;
    this.form.hidden = !at;
    this.load();
    if (!at) return;
    this.shell.names.put(this.title, at.device, at.channel);
    const r = await call('GET', this.path);
    if (at !== this.at) return;
    const items = r.ok ? r.data.items : [];
    this.said.textContent = trouble(r);
    this.again.hidden = true;
    this.tag = r.tag;
    this.urls.value = items.map((p) => p.url).join('\n');
    this.stream.value = items[0]?.stream ?? 'main';
  }

  async save() {
    const urls = this.urls.value.split(/\s+/).filter(Boolean);
    if (!urls.length) { this.drop(); return; }
    const r = await call('PUT', this.path, { urls, stream: this.stream.value }, this.tag);
    this.done(r);
  }

  async drop() {
    const r = await call('DELETE', this.path, undefined, this.tag);
    if (r.ok) this.urls.value = '';
    this.done(r);
  }

  // The answer to a removal has no tag.
  async done(r) {
    this.again.hidden = r.status !== 412;
    if (r.ok) this.tag = r.tag ?? (await call('GET', this.path)).tag;
    this.said.textContent = trouble(r) || t('saved');
    this.load();
  }

  async load() {
    const r = await call('GET', '/pushes');
    const items = r.ok ? r.data.items : [];
    if (!r.ok || (!items.length && !this.at)) this.said.textContent = trouble(r) || t('noPushes');
    this.table.draw(items.map((p) => h('tr', { 'data-id': p.id }, this.shell.names.cell(p.device, p.channel),
      h('td', { class: 'wide', text: p.url }), h('td', { text: t(p.stream) }), h('td', { class: p.failures ? 'wide bad' : 'wide', text: [t(`out_${p.state}`), inLanguage(p, 'why')].filter(Boolean).join(' · ') }),
      h('td', { text: bytes(p.bytes) }), h('td', { text: when(p.since) }), h('td', { class: 'acts' }, button('change', () => this.shell.go('outputs', p.device, p.channel))))));
  }
}

class Hooks {
  constructor() {
    this.said = status();
    this.once = h('code', { class: 'once' });
    this.onceBox = h('p', { class: 'card', role: 'status', hidden: true }, h('span', { t: 'secretOnce' }), ' ', this.once);
    this.table = listing(['nameOfIt', 'hookUrl', 'recorderState', 'delivered', 'queued', 'lastStatus', '']);
    this.name = h('input', { type: 'text', required: true, maxlength: 64, autocomplete: 'off' });
    this.url = h('input', { type: 'url', required: true, size: 36, placeholder: 'http://' });
    this.secret = h('input', { type: 'password', autocomplete: 'new-password' });
    this.events = EVENTS.map((name) => h('input', { type: 'checkbox', value: name }));
    this.root = h('section', { class: 'stack' }, h('h2', { t: 'hooks' }), this.said, this.onceBox, this.table.root,
      h('form', { class: 'card stack', onsubmit: (e) => { e.preventDefault(); this.add(); } }, h('h3', { t: 'addHook' }),
        h('div', { class: 'tools' }, field('nameOfIt', this.name), field('hookUrl', this.url), field('hookSecret', this.secret)),
        h('fieldset', { class: 'tools' }, h('legend', { t: 'hookEvents' }), this.events.map((e) => h('label', {}, e, h('span', { t: `ev_${e.value}` })))),
        h('div', {}, h('button', { type: 'submit', t: 'addHook' }))));
  }

  async add() {
    const events = this.events.filter((e) => e.checked).map((e) => e.value);
    const body = { name: this.name.value, url: this.url.value };
    if (events.length) body.events = events;
    if (this.secret.value) body.secret = this.secret.value;
    const r = await call('POST', '/webhooks', body);
    this.said.textContent = trouble(r) || t('saved');
    this.onceBox.hidden = !r.ok || !r.data.secret;
    this.once.textContent = (r.ok && r.data.secret) || '';
    if (r.ok) this.name.value = this.url.value = this.secret.value = '';
    this.load();
  }

  async act(method, hook, end = '', body = undefined, good = 'saved') {
    const r = await call(method, `/webhooks/${encodeURIComponent(hook.name)}${end}`, body);
    this.said.textContent = trouble(r) || t(good);
    this.load();
  }

  async remove(k) {
    const r = await removeAsked(`/webhooks/${encodeURIComponent(k.name)}`);
    if (!r) return;
    this.said.textContent = trouble(r) || t('saved');
    this.load();
  }

  acts(k) {
    const test = button('testHook', () => this.act('POST', k, '/test', {}, 'testSent'));
    if (k.from === 'configuration') return [test];
    return [test, button(k.enabled ? 'turnOff' : 'turnOn', () => this.act('PATCH', k, '', { enabled: !k.enabled })),
      button('del', () => this.remove(k))];
  }

  async load() {
    const r = await call('GET', '/webhooks');
    const items = r.ok ? r.data.items : [];
    if (!r.ok || !items.length) this.said.textContent = trouble(r) || t('noHooks');
    const all = (k) => (k.events.length === EVENTS.length ? t('anyKind') : k.events.map((e) => t(`ev_${e}`)).join(', '));
    this.table.draw(items.map((k) => h('tr', { 'data-id': k.name }, h('td', {}, h('b', { text: k.name }), k.from === 'configuration' ? h('span', { class: 'id', t: 'ofConfiguration' }) : ''),
      h('td', { class: 'wide' }, k.url, h('span', { class: 'id', text: all(k) })), h('td', { class: k.failures ? 'wide bad' : 'wide', text: [k.enabled ? t(`out_${k.state}`) : t('isOffWord'), inLanguage(k, 'why')].filter(Boolean).join(' · ') }),
      h('td', { text: k.delivered }), h('td', { text: k.queued }), h('td', { text: k.status || '' }), h('td', { class: 'acts' }, this.acts(k)))));
  }
}

export default class Outputs {
  constructor(root, shell) {
    this.pushes = new Pushes(shell);
    this.hooks = new Hooks();
    root.append(h('h1', { t: 'view_outputs' }), this.pushes.root, this.hooks.root);
    listen('push reset', soon(() => this.shown && this.pushes.load(), 500));
  }

  show(device, channel) {
    this.shown = true;
    this.at = device && channel ? { device, channel } : null;
    this.pushes.show(this.at);
    this.hooks.load();
    clearInterval(this.timer);
    this.timer = setInterval(() => { if (!document.hidden) { this.pushes.load(); this.hooks.load(); } }, LOOK_MS);
  }

  hide() {
    this.shown = false;
    clearInterval(this.timer);
    this.hooks.onceBox.hidden = true;
  }

  language() {
    if (this.shown) { this.pushes.load(); this.hooks.load(); }
  }
}
