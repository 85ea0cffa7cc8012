// Everything that a device can be asked and told by the standard: a form by the
// schema of the order, and what the device has answered. Pictures that a camera
// takes on order have a form of their own.
import { button, call, channelPath, devicePath, field, h, inLanguage, listen, select, status, trouble } from './core.js';
import { build, table } from './form.js';
import { addTexts, t } from './i18n.js';
import { editionOf, schemas } from './schemas.js';

addTexts({
  en: { orders: 'Queries and orders', order: 'What', sendOrder: 'Send', orderDone: 'The device has taken it.', orderTold: 'The device has answered:', orderNone: 'The device has answered: there is none.', orderArrived: 'The device has it; it answers nothing to this.', sinceEdition: 'the device says that it is older',
    queries: 'Queries', controls: 'Orders', reallyFormat: 'All recordings on the card will be lost. Format it?',
    q_DeviceStatus: 'State of the device', q_DeviceInfo: 'About the device', q_Alarm: 'State of alarms', q_PresetQuery: 'Presets', q_MobilePosition: 'Position', q_HomePositionQuery: 'Home position', q_CruiseTrackListQuery: 'Cruise tracks', q_CruiseTrackQuery: 'One cruise track', q_PTZPosition: 'Where it looks', q_SDCardStatus: 'Storage cards',
    c_RecordCmd: 'Record in the device', c_GuardCmd: 'Arm, disarm', c_AlarmCmd: 'Reset the alarm', c_IFrameCmd: 'Key frame now', c_DragZoomIn: 'Zoom into an area', c_DragZoomOut: 'Zoom out of an area', c_HomePosition: 'Set the home position', c_PTZPreciseCtrl: 'Turn to an angle', c_FormatSDCard: 'Format a storage card (0: all)', c_TargetTrack: 'Follow a target',
    photographs: 'Pictures by the camera (2022)', photoNumber: 'How many', photoEvery: 'Seconds between', photoTake: 'Take them', photo_sent: 'The camera is to upload them …', photo_finished: 'All are here.', photo_partial: 'Not all came.', photo_refused: 'The camera refuses.', photo_silent: 'Nothing came.' },
  zh: { orders: '查询与控制', order: '命令', sendOrder: '发送', orderDone: '设备已接受。', orderTold: '设备应答：', orderNone: '设备应答：没有。', orderArrived: '设备已收到，该命令无应答。', sinceEdition: '设备声明的版本较早',
    queries: '查询', controls: '控制', reallyFormat: '存储卡上的录像将全部丢失，确定格式化？',
    q_DeviceStatus: '设备状态', q_DeviceInfo: '设备信息', q_Alarm: '报警状态', q_PresetQuery: '预置位', q_MobilePosition: '移动位置', q_HomePositionQuery: '看守位', q_CruiseTrackListQuery: '巡航轨迹列表', q_CruiseTrackQuery: '巡航轨迹', q_PTZPosition: '云台精准状态', q_SDCardStatus: '存储卡状态',
    c_RecordCmd: '设备录像', c_GuardCmd: '布防/撤防', c_AlarmCmd: '报警复位', c_IFrameCmd: '强制关键帧', c_DragZoomIn: '拉框放大', c_DragZoomOut: '拉框缩小', c_HomePosition: '设置看守位', c_PTZPreciseCtrl: '云台精准控制', c_FormatSDCard: '格式化存储卡（0：全部）', c_TargetTrack: '目标跟踪',
    photographs: '设备抓拍（2022）', photoNumber: '张数', photoEvery: '间隔（秒）', photoTake: '抓拍', photo_sent: '等待设备上传 …', photo_finished: '已全部收到。', photo_partial: '未全部收到。', photo_refused: '设备拒绝。', photo_silent: '未收到图片。' },
});

const WAIT_S = 12; // a query that is silent is asked twice
// Names of the standard, and the edition that they came with
const QUERIES = { DeviceStatus: '2011', DeviceInfo: '2011', Alarm: '2011', PresetQuery: '2014', MobilePosition: '2016', HomePositionQuery: '2022', CruiseTrackListQuery: '2022', CruiseTrackQuery: '2022', PTZPosition: '2022', SDCardStatus: '2022' };
const CONTROLS = { RecordCmd: '2011', GuardCmd: '2011', AlarmCmd: '2011', IFrameCmd: '2016', DragZoomIn: '2016', DragZoomOut: '2016', HomePosition: '2016', PTZPreciseCtrl: '2022', FormatSDCard: '2022', TargetTrack: '2022' };
const WHOLE = ['DeviceInfo', 'SDCardStatus', 'FormatSDCard']; // of a device, not of a channel
const HEAD = ['CmdType', 'SN', 'DeviceID', 'SumNum']; // of every answer

class Photographs {
  constructor() {
    this.said = status();
    this.number = h('input', { type: 'number', min: 1, max: 10, value: 1, required: true });
    this.every = h('input', { type: 'number', min: 1, max: 3600, value: 1, required: true });
    this.pictures = h('div', { class: 'tools' });
    this.root = h('details', { 'data-needs': 'operator' }, h('summary', {}, h('b', { t: 'photographs' })),
      h('form', { class: 'tools', onsubmit: (e) => { e.preventDefault(); this.take(); } }, field('photoNumber', this.number), field('photoEvery', this.every), h('button', { type: 'submit', t: 'photoTake' }), this.said), this.pictures);
    listen('command reset', () => this.look());
    setInterval(() => { if (this.waits && !document.hidden) this.look(); }, 2000);
  }

  show(path) {
    Object.assign(this, { path, session: null, waits: false });
    this.root.hidden = !path;
    this.said.textContent = '';
    this.pictures.replaceChildren();
  }

  async take() {
    const { path } = this;
    const r = await call('POST', `${path}/snapshot`, { number: Number(this.number.value), interval_s: Number(this.every.value) });
    if (path !== this.path) return;
    this.said.textContent = trouble(r);
    if (r.ok) this.draw(r.data);
  }

  draw(s) {
    this.session = s.session;
    this.waits = s.state === 'sent';
    this.said.textContent = t(`photo_${s.state}`);
    this.pictures.replaceChildren(...(s.pictures ?? []).map((p) => h('a', { href: `/api/v1/pictures/${encodeURIComponent(p.file)}`, target: '_blank' }, h('img', { src: `/api/v1/pictures/${encodeURIComponent(p.file)}`, alt: p.file, height: 120 }))));
  }

  async look() {
    const { session } = this;
    if (!session) return;
    const r = await call('GET', `/snapshots/${session}`);
    if (session === this.session && r.ok) this.draw(r.data);
  }
}

export class Orders {
  constructor() {
    this.what = select([], { onchange: () => { this.told = []; this.said.textContent = ''; this.draw(); } });
    this.said = status();
    this.fields = h('div', { class: 'stack plain' });
    this.answer = h('div', { class: 'answer' });
    this.photographs = new Photographs();
    this.root = h('div', { class: 'stack', 'data-needs': 'operator' }, h('details', { class: 'orders', ontoggle: () => this.draw() }, h('summary', {}, h('b', { t: 'orders' })),
      h('form', { class: 'fields', onsubmit: (e) => { e.preventDefault(); this.send(); } }, field('order', this.what), this.fields, h('div', { class: 'tools' }, h('button', { type: 'submit', t: 'sendOrder' }), this.said)), this.answer), this.photographs.root);
  }

  // about: the device, or null; channel: of it, or undefined
  show(about, channel) {
    Object.assign(this, { about, channel });
    this.root.hidden = !about;
    if (this.of !== `${about?.id}/${channel}`) this.clear(`${about?.id}/${channel}`);
    if (!about) return;
    const was = this.what.value;
    const edition = this.edition = editionOf(about);
    const options = (prefix, all) => Object.entries(all).filter(([name]) => !channel || !WHOLE.includes(name)).map(([name, since]) => h('option', { value: prefix + name, disabled: since > edition, text: `${t(prefix + name)}${since > edition ? ` (${since}: ${t('sinceEdition')})` : ''}`, title: name }));
    this.what.replaceChildren(h('optgroup', { label: 'queries' }, options('q_', QUERIES)), h('optgroup', { label: 'controls' }, options('c_', CONTROLS)));
    for (const [i, key] of ['queries', 'controls'].entries()) this.what.children[i].label = t(key);
    if ([...this.what.options].some((o) => o.value === was && !o.disabled)) this.what.value = was;
    this.draw();
  }

  // Another device or channel: what was asked and told is not of it.
  clear(of) {
    this.of = of;
    this.told = [];
    this.said.textContent = '';
    this.answer.replaceChildren();
    this.photographs.show(this.about && this.channel ? channelPath(this.about.id, this.channel) : null);
  }

  async draw() {
    if (!this.about || !this.root.firstChild.open) return;
    const what = this.what.value;
    const all = await schemas();
    if (what !== this.what.value) return;
    const name = what.slice(2);
    const schema = all?.[what.startsWith('q_') ? `Query.${name}` : `Control.DeviceControl.${name}`];
    this.form = schema ? build(schema, {}, this.edition) : null;
    this.fields.replaceChildren(...(this.form ? [this.form.root] : []));
    this.answer.replaceChildren(...this.told.map(table));
  }

  async send() {
    const { about, channel } = this;
    const what = this.what.value;
    const name = what.slice(2);
    if (name === 'FormatSDCard' && !window.confirm(t('reallyFormat'))) return;
    this.said.textContent = t('asking');
    this.told = [];
    this.answer.replaceChildren();
    const r = await call('POST', `${devicePath(about.id)}/commands?wait=${WAIT_S}`, { cmd: what.startsWith('q_') ? name : 'DeviceControl', params: this.form?.read() ?? {}, ...(channel && { channel }) });
    if (about !== this.about || channel !== this.channel) return;
    const answer = (r.ok && r.data.answer) || [];
    this.told = answer.map((m) => Object.fromEntries(Object.entries(m).filter(([k]) => !HEAD.includes(k)))).filter((m) => Object.keys(m).length);
    this.said.textContent = trouble(r) || (answer[0]?.Result === 'ERROR' ? t('setBad') : answer.length ? t(what.startsWith('c_') ? 'orderDone' : this.told.length ? 'orderTold' : 'orderNone')
      : r.data.state === 'arrived' ? t('orderArrived') : inLanguage(r.data, 'evidence') || t('silent'));
    this.answer.replaceChildren(...this.told.map(table));
  }

  language() {
    if (this.about) this.show(this.about, this.channel);
    if (this.photographs.session) this.photographs.look();
  }
}
