// Cruises from preset to preset, scans from side to side, and switches: what a
// camera does by itself, each under a number.
import { button, field, h, select } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { tourKind: 'By itself', cruise: 'Cruise', scan: 'Scan', aux: 'Switch', tourNumber: 'Number', tourStart: 'Start', tourStop: 'Stop', cruiseAdd: 'Add the preset', cruiseDelete: 'Take the preset out', cruiseDwell: 'Stay (s)', tourSpeed: 'Pace',
    scanLeft: 'Left edge is here', scanRight: 'Right edge is here', auxOn: 'On', auxOff: 'Off', presetDrop: 'Delete', setIt: 'Set', tourSent: 'Sent.' },
  zh: { tourKind: '自动', cruise: '巡航', scan: '扫描', aux: '辅助开关', tourNumber: '编号', tourStart: '开始', tourStop: '停止', cruiseAdd: '加入预置位', cruiseDelete: '删除预置位', cruiseDwell: '停留（秒）', tourSpeed: '速度',
    scanLeft: '设为左边界', scanRight: '设为右边界', auxOn: '开', auxOff: '关', presetDrop: '删除', setIt: '设置', tourSent: '已发送。' },
});

const VALUE_MAX = 4095; // 12 bits: speeds and seconds

export class Tours {
  // send(body) of POST ptz; preset(): the number that is chosen beside it
  constructor(root, send, preset) {
    Object.assign(this, { root, send, preset });
    this.kind = select([['cruise', 'cruise'], ['scan', 'scan'], ['aux', 'aux']], { onchange: () => this.show() });
    this.number = h('input', { type: 'number', min: 1, max: 255, value: 1, size: 4, required: true });
    const value = (unit) => h('input', { type: 'number', min: 0, max: VALUE_MAX, value: unit, size: 5, required: true });
    this.dwell = value(10);
    const pace = (action) => { const input = value(128); return [field('tourSpeed', input), set(action, input)]; };
    const act = (key, body) => button(key, () => this.act(body()));
    const set = (action, input) => act('setIt', () => ({ action, value: input }));
    const stop = () => act('tourStop', () => ({ action: 'stop' }));
    this.kinds = {
      cruise: [act('tourStart', () => ({ action: 'cruise_start' })), stop(), act('cruiseAdd', () => ({ action: 'cruise_add', preset: preset() })),
        act('cruiseDelete', () => ({ action: 'cruise_delete', preset: preset() })), field('cruiseDwell', this.dwell), set('cruise_dwell', this.dwell),
        ...pace('cruise_speed')],
      scan: [act('tourStart', () => ({ action: 'scan_start' })), stop(), act('scanLeft', () => ({ action: 'scan_left' })), act('scanRight', () => ({ action: 'scan_right' })),
        ...pace('scan_speed')],
      aux: [act('auxOn', () => ({ action: 'aux_on' })), act('auxOff', () => ({ action: 'aux_off' }))],
    };
    this.more = h('div', { class: 'tools' });
    this.said = h('span', { class: 'hint', role: 'status' });
    root.append(h('div', { class: 'tools' }, field('tourKind', this.kind), field('tourNumber', this.number), this.said), this.more);
    this.show();
  }

  show() {
    this.more.replaceChildren(...this.kinds[this.kind.value]);
    this.said.textContent = '';
  }

  async act({ value, ...body }) {
    if (!this.number.reportValidity() || (value && !value.reportValidity())) return;
    if (body.action !== 'stop') body.group = Number(this.number.value);
    if (value) body.value = Number(value.value);
    await this.send(body);
    this.said.textContent = t('tourSent');
  }
}
