// What a device is asked to report of itself: what is wanted of it here, what has
// become of that, and till when.
import { call, devicePath, h, listing, may, query, select, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { subscriptions: 'Subscriptions', subscribedTo: 'What', wanted: 'Wanted', till: 'Till', reports: 'Reports', kind_catalog: 'Catalog', kind_alarm: 'Alarms', kind_position: 'Positions', kind_ptz: 'Where it looks (2022)',
    asConfigured: 'as configured', notWanted: 'no', tenMinutes: 'for 10 min, renewed', oneHour: 'for 1 h, renewed', oneDay: 'for a day, renewed', state_none: 'not subscribed', state_waiting: 'will be asked', state_asking: 'asking', state_active: 'subscribed', state_refused: 'refused by it' },
  zh: { subscriptions: '订阅', subscribedTo: '内容', wanted: '策略', till: '有效至', reports: '通知数', kind_catalog: '目录', kind_alarm: '报警', kind_position: '移动位置', kind_ptz: '云台位置（2022）',
    asConfigured: '按配置', notWanted: '不订阅', tenMinutes: '10 分钟，自动续订', oneHour: '1 小时，自动续订', oneDay: '1 天，自动续订', state_none: '未订阅', state_waiting: '等待订阅', state_asking: '正在订阅', state_active: '已订阅', state_refused: '设备已拒绝' },
});

export const KINDS = ['catalog', 'alarm', 'position', 'ptz'];
const LOOK_MS = 3000; // no event tells of them
const PERIODS = [['', 'asConfigured'], ['false', 'notWanted'], ['600', 'tenMinutes'], ['3600', 'oneHour'], ['86400', 'oneDay']];

// What is wanted of one kind, as the API tells and takes it: seconds, false, or null
export const wanted = (kind, attrs = {}) => select(PERIODS, { 'data-kind': kind, ...attrs });
export const readWanted = (box) => (box.value === '' ? null : JSON.parse(box.value));
export function showWanted(box, seconds) {
  const value = String(seconds ?? '');
  if (![...box.options].some((o) => o.value === value)) box.append(h('option', { value, text: `${value} s` }));
  box.value = value;
}

export class Subscriptions {
  // set(body): of PATCH; '' when it is set
  constructor(set) {
    this.set = set;
    this.said = status();
    this.table = listing(['subscribedTo', 'wanted', 'recorderState', 'till', 'reports']);
    this.root = h('details', { ontoggle: () => this.look() }, h('summary', {}, h('b', { t: 'subscriptions' })), this.table.root, this.said);
    this.rows = KINDS.map((kind) => {
      const box = wanted(kind, { label: `kind_${kind}`, onchange: () => this.change(kind, readWanted(box)) });
      return { kind, wanted: box, state: h('td', {}), till: h('td', {}), reports: h('td', {}) };
    });
    this.table.draw(this.rows.map((r) => h('tr', { 'data-kind': r.kind }, h('th', { scope: 'row', t: `kind_${r.kind}` }), h('td', {}, r.wanted), r.state, r.till, r.reports)));
    setInterval(() => { if (!document.hidden) this.look(); }, LOOK_MS);
  }

  // null: of none
  show(device) {
    this.device = device;
    this.root.hidden = !device;
    this.said.textContent = '';
    this.look();
  }

  wants(about) {
    for (const r of this.rows) {
      showWanted(r.wanted, about.subscribe[r.kind]);
      r.wanted.disabled = !may('admin');
    }
  }

  async change(kind, value) {
    this.said.textContent = await this.set({ subscribe: { [kind]: value } }) || t('saved');
    this.look();
  }

  async look() {
    const { device } = this;
    if (!device || !this.root.open) return;
    const r = await call('GET', `/subscriptions?${query({ q: device })}`);
    if (device !== this.device) return;
    if (!r.ok) { this.said.textContent = trouble(r); return; }
    for (const row of this.rows) {
      const s = r.data.items.find((x) => x.device === device && x.kind === row.kind);
      row.state.textContent = t(`state_${s?.state ?? 'none'}`) + (s?.state === 'refused' && s.sip_status ? ` (${s.sip_status})` : '');
      row.till.textContent = when(s?.expires_at);
      row.reports.textContent = s?.notifies ?? '';
    }
  }
}
