// Settings of a device: what this server does with it, and what the device
// itself tells and takes (ConfigDownload, DeviceConfig).
import { button, call, channelPath, devicePath, field, h, inLanguage, may, readAgain, select, status, trouble, when } from './core.js';
import { Firmware } from './firmware.js';
import { build, table } from './form.js';
import { addTexts, t } from './i18n.js';
import { Orders } from './orders.js';
import { EDITIONS, editionOf, schemas } from './schemas.js';
import { Seen } from './seen.js';
import { Subscriptions } from './subscriptions.js';
import { nameOf } from './words.js';

addTexts({
  en: { chooseDevice: 'Choose a device or a channel in the tree.', ofServer: 'Here', ofDevice: 'In the device', askDevice: 'Ask the device', refused: 'not known to it', silent: 'no answer', setOk: 'The device has taken it.',
    setBad: 'The device has refused it.', addItem: 'Add', removeItem: 'Remove', isOn: 'on', isOff: 'off', value: 'Value', send: 'Send to the device', readOnly: 'told alone', deviceName: 'Name', group: 'Group', noGroup: 'none',
    newPassword: 'Password (empty: as it is)', ownDevicePassword: 'It has a password of its own.', sharedPassword: 'It has the password of its group or of the platform.', dropPassword: 'Take its own password away', edition: 'Edition', mediaWay: 'Media over', dateWay: 'Date header', requireWay: 'Require that is not known here', requireRefuse: 'refused (420)', requireIgnore: 'ignored', digestWay: 'Digest algorithms offered (none chosen: as configured)', arm: 'Arm at registration', refreshCatalog: 'Ask for the catalog', removeDevice: 'Forget the device',
    reallyForget: 'Forget this device and its channels?', maker: 'Maker', peer: 'Address', firmware: 'Firmware', registeredAt: 'Registered', keepaliveAt: 'Last keepalive', reboot: 'Restart' },
  zh: { chooseDevice: '请在设备树中选择设备或通道。', ofServer: '平台设置', ofDevice: '设备参数', askDevice: '向设备查询', refused: '设备不支持', silent: '无应答', setOk: '设备已接受。',
    setBad: '设备已拒绝。', addItem: '添加', removeItem: '移除', isOn: '开', isOff: '关', value: '值', send: '下发到设备', readOnly: '只读', deviceName: '名称', group: '分组', noGroup: '无',
    newPassword: '密码（留空不变）', ownDevicePassword: '已单独设置密码。', sharedPassword: '使用分组或平台的密码。', dropPassword: '取消单独密码', edition: '版本', mediaWay: '媒体传输', dateWay: 'Date 头', requireWay: '未知的 Require 头', requireRefuse: '拒绝（420）', requireIgnore: '忽略', digestWay: '提供的摘要算法（不选则按配置）', arm: '注册后布防', refreshCatalog: '刷新目录', removeDevice: '删除设备',
    reallyForget: '确定删除该设备及其通道？', maker: '厂商', peer: '地址', firmware: '固件', registeredAt: '注册时间', keepaliveAt: '最近心跳', reboot: '重启' },
});

const WAIT_S = 8;
const SET_HERE = ['name', 'group', 'media', 'edition', 'date', 'arm', 'require'];
const DIGESTS = ['MD5', 'SHA-256', 'SHA-512-256', 'SM3'];
const ORDERS = ['SnapShotConfig']; // types that order something and set nothing

async function configSchemas() {
  const all = await schemas();
  return all && { set: all['Control.DeviceConfig'].properties, told: all['Response.ConfigDownload'].properties };
}

export default class Settings {
  constructor(root, shell) {
    this.shell = shell;
    this.takesDevice = true;
    this.title = h('h1', { t: 'view_settings' });
    this.said = status();
    this.again = readAgain(() => this.show(this.at.device, this.at.channel));
    this.server = h('section', { class: 'card stack' });
    this.subscriptions = new Subscriptions((body) => this.patch(body));
    this.seen = new Seen();
    this.firmware = new Firmware();
    this.orders = new Orders();
    this.types = h('div', { class: 'stack' });
    this.ask = button('askDevice', () => this.askAll(), { 'data-needs': 'operator' });
    this.device = h('section', { class: 'stack' }, h('div', { class: 'tools' }, h('h2', { t: 'ofDevice' }), this.ask), this.types);
    root.append(this.title, this.said, this.again, this.server, this.seen.root, this.subscriptions.root, this.firmware.root, this.orders.root, this.device);
  }

  async show(device, channel) {
    const was = this.at;
    const mine = this.at = device ? { device, channel } : null;
    if (was?.device !== device || was?.channel !== channel) this.kept = null;
    this.types.replaceChildren();
    this.server.hidden = !device || Boolean(channel);
    this.device.hidden = !device;
    this.again.hidden = true;
    for (const part of [this.seen, this.subscriptions, this.firmware]) part.show(channel ? null : device);
    if (was?.device !== device || was?.channel !== channel) this.orders.show(null);
    this.said.textContent = device ? '' : t('chooseDevice');
    if (device) this.shell.names.put(this.title, device, channel);
    else this.title.textContent = t('view_settings');
    if (!device) return;
    const r = await call('GET', devicePath(device));
    if (mine !== this.at) return;
    if (!r.ok) { this.said.textContent = trouble(r); return; }
    this.about = r.data;
    this.tag = r.tag;
    this.subscriptions.wants(r.data);
    this.orders.show(r.data, channel);
    if (!channel) {
      this.title.textContent = r.data.name || device;
      await this.showServer(r.data);
    }
    this.ask.disabled = !r.data.online;
    if (r.data.online && mine === this.at && may('operator')) this.askAll();
  }

  hide() {
    this.at = null;
    for (const part of [this.seen, this.subscriptions, this.firmware, this.orders]) part.show(null);
  }

  // ---- what this server does with it -----------------------------------------

  async showServer(d) {
    const groups = await call('GET', '/groups');
    const word = (options) => select([['', 'asConfigured'], ...options.map((o) => [o, o])]);
    const f = {
      name: h('input', { type: 'text', autocomplete: 'off', maxlength: 128, value: d.name ?? '' }),
      password: h('input', { type: 'password', autocomplete: 'new-password', maxlength: 64 }),
      group: h('select', {}, h('option', { value: '', t: 'noGroup' }), (groups.ok ? groups.data.items : []).map((g) => h('option', { text: g.name }))),
      media: word(['udp', 'tcp-passive', 'tcp-active']),
      edition: word(['2011', '2014', '2016', '2022']),
      date: word(['local', 'utc', 'off']),
      arm: select([['off', 'isOff'], ['on', 'isOn']]),
      require: select([['refuse', 'requireRefuse'], ['ignore', 'requireIgnore']]),
    };
    const digests = [...new Set([...DIGESTS, ...d.digest])].map((name) => h('input', { type: 'checkbox', value: name, checked: d.digest.includes(name) }));
    f.group.value = d.group;
    f.media.value = d.media === 'auto' ? '' : d.media;
    f.edition.value = d.edition_set === 'auto' ? '' : d.edition_set;
    f.date.value = d.date === 'configured' ? '' : d.date;
    f.arm.value = d.arm;
    f.require.value = d.require;
    const was = Object.fromEntries(SET_HERE.map((k) => [k, f[k].value]));
    const facts = [['maker', [d.manufacturer, d.model].filter(Boolean).join(' ')], ['firmware', d.firmware], ['recorderState', [t(d.online ? 'online' : 'offline'), inLanguage(d, 'state_reason')].filter(Boolean).join(': ')], ['peer', d.address && `${d.transport} ${d.address}`], ['edition', EDITIONS[d.edition] ?? d.edition],
      ['registeredAt', when(d.registered_at)], ['keepaliveAt', when(d.keepalive_at)]];
    this.server.replaceChildren(h('h2', { t: 'ofServer' }),
      h('dl', { class: 'pairs' }, facts.flatMap(([k, v]) => (v ? [h('dt', { t: k }), h('dd', { text: v })] : []))),
      h('form', { class: 'fields', 'data-needs': 'admin', onsubmit: (e) => { e.preventDefault(); this.saveServer(f, was, digests); } },
        field('deviceName', f.name), field('newPassword', f.password), field('group', f.group), field('mediaWay', f.media), field('edition', f.edition), field('dateWay', f.date), field('arm', f.arm), field('requireWay', f.require),
        h('fieldset', { class: 'tools' }, h('legend', { t: 'digestWay' }), digests.map((x) => h('label', {}, x, h('span', { text: x.value })))),
        h('button', { type: 'submit', t: 'save' })),
      h('div', { class: 'tools', 'data-needs': 'admin' }, h('span', { class: 'hint', t: d.has_password ? 'ownDevicePassword' : 'sharedPassword' }), d.has_password ? button('dropPassword', () => this.set({ password: null })) : ''),
      h('div', { class: 'tools' }, button('refreshCatalog', () => this.order('POST', '/refresh'), { 'data-needs': 'operator' }), button('reboot', () => {
        if (window.confirm(t('reallyReboot'))) this.order('POST', `/commands?wait=${WAIT_S}`, { cmd: 'DeviceControl', params: { TeleBoot: 'Boot' } });
      }, { 'data-needs': 'operator' }), button('removeDevice', () => this.forget(), { 'data-needs': 'admin' })));
  }

  // What was not touched stays as it is: a name that the device tells is not made ours.
  saveServer(f, was, digests) {
    const body = Object.fromEntries(SET_HERE.filter((k) => f[k].value !== was[k]).map((k) => [k, f[k].value || null]));
    if (f.password.value) body.password = f.password.value;
    if (digests.some((x) => x.checked !== x.defaultChecked)) body.digest = digests.filter((x) => x.checked).map((x) => x.value);
    return this.set(body);
  }

  async set(body) {
    const bad = await this.patch(body);
    if (!bad) await this.showServer(this.about);
    this.said.textContent = bad || t('saved');
  }

  // '' when it is set. What somebody else has set meanwhile is not overwritten.
  async patch(body) {
    const { at } = this;
    const r = await call('PATCH', devicePath(at.device), body, this.tag);
    if (at === this.at && r.ok) Object.assign(this, { about: r.data, tag: r.tag });
    if (at === this.at) this.again.hidden = r.status !== 412;
    return trouble(r);
  }

  async order(method, path, body, good = 'setOk', tag = undefined) {
    const r = await call(method, devicePath(this.at.device) + path, body, tag);
    this.again.hidden = r.status !== 412;
    this.said.textContent = trouble(r) || t(good);
    return r.ok;
  }

  async forget() {
    if (window.confirm(t('reallyForget')) && await this.order('DELETE', '', undefined, '', this.tag)) this.shell.go('settings');
  }

  // ---- what the device has -------------------------------------------------------

  get path() {
    return this.at.channel ? channelPath(this.at.device, this.at.channel) : devicePath(this.at.device);
  }

  // One type after the other: devices differ in how they take many at once.
  async askAll() {
    const { at } = this;
    const known = await configSchemas();
    if (at !== this.at) return;
    if (!known) { this.said.textContent = t('noServer'); return; }
    const { set, told } = known;
    const edition = editionOf(this.about);
    const names = Object.keys({ ...set, ...told }).filter((n) => n !== 'Result' && !ORDERS.includes(n) && (told[n] ?? set[n])['x-editions']?.includes(edition));
    const boxes = names.map((n) => h('details', { 'data-type': n }, h('summary', {}, h('b', { text: nameOf(n), title: n }), h('span', { class: 'hint state', text: ' …' }))));
    this.types.replaceChildren(...boxes);
    const before = this.kept ?? new Map();
    this.kept = null;
    this.answers = new Map();
    for (const [i, name] of names.entries()) {
      await this.askOne(name, boxes[i], set[name], edition, before.get(name));
      if (at !== this.at) return;
    }
  }

  // before: what it has answered already
  async askOne(name, box, schema, edition, before) {
    const { at } = this;
    const r = before ?? await call('GET', `${this.path}/config?type=${name}&wait=${WAIT_S}`);
    if (at !== this.at) return;
    this.answers.set(name, r);
    const value = r.ok ? r.data.answer?.map((a) => a[name]).find((v) => v !== undefined) : undefined;
    const state = box.querySelector('.state');
    for (const e of [...box.children].slice(1)) e.remove();
    box.dataset.state = value === undefined ? 'none' : schema ? 'form' : 'told';
    state.textContent = value !== undefined ? (schema ? '' : ` ${t('readOnly')}`) : ` ${r.ok && r.data.answer?.length ? t('refused') : trouble(r) || t('silent')}`;
    if (value === undefined) return;
    if (!schema) { box.append(table(value)); return; }
    const form = build(schema, value, edition, name);
    const said = h('span', { class: 'hint said', role: 'status' });
    box.append(h('form', { class: 'fields', onsubmit: (e) => { e.preventDefault(); this.send(name, form.read(), box, said, schema, edition); } }, form.root,
      h('div', { class: 'tools' }, h('button', { type: 'submit', t: 'send', 'data-needs': 'admin' }), said)));
  }

  async send(name, value, box, said, schema, edition) {
    said.textContent = t('asking');
    const r = await call('PATCH', `${this.path}/config?wait=${WAIT_S}`, { [name]: value ?? {} });
    const result = r.ok && r.data.answer?.[0]?.Result;
    const text = trouble(r) || (result === 'OK' ? t('setOk') : result ? t('setBad') : inLanguage(r.data, 'evidence') || t('silent'));
    said.textContent = text;
    if (result !== 'OK') return;
    await this.askOne(name, box, schema, edition);
    const now = box.querySelector('.said');
    if (now) now.textContent = text;
  }

  language() {
    this.orders.language();
    if (!this.at) return;
    this.kept = this.answers;
    this.show(this.at.device, this.at.channel);
  }
}
