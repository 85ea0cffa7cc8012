// What has been seen of a device: when it came and went and why, what it knows of the
// standard, and where it deviates from it.
import { call, devicePath, h, inLanguage, listen, listing, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { seen: 'What was seen of it', seenTime: 'Time', seenState: 'State', seenCause: 'Why', seenNothing: 'It has neither come nor gone yet.', seenFaults: 'Deviations from the standard', seenKnows: 'It answers to', seenLacks: 'It does not know', seenNat: 'It is behind a NAT.', seenGap: 'Between keepalives' },
  zh: { seen: '设备记录', seenTime: '时间', seenState: '状态', seenCause: '原因', seenNothing: '尚无上下线记录。', seenFaults: '与标准的偏差', seenKnows: '可应答', seenLacks: '不支持', seenNat: '设备位于 NAT 之后。', seenGap: '心跳间隔' },
});

export class Seen {
  constructor() {
    this.said = status();
    this.facts = h('dl', { class: 'pairs' });
    this.table = listing(['seenTime', 'seenState', 'seenCause']);
    this.root = h('details', { class: 'seen', ontoggle: () => this.load() }, h('summary', {}, h('b', { t: 'seen' })), this.said, this.facts, this.table.root);
    listen('device reset', (e) => { if (!e || e.id === this.device) this.load(); });
  }

  // null: of none
  show(device) {
    this.device = device;
    this.root.hidden = !device;
    this.load();
  }

  async load() {
    const { device } = this;
    if (!device || !this.root.open) return;
    const [changes, profile] = await Promise.all([call('GET', `${devicePath(device)}/changes`), call('GET', `${devicePath(device)}/profile`)]);
    if (device !== this.device) return;
    this.said.textContent = trouble(changes) || trouble(profile) || (changes.data.items.length ? '' : t('seenNothing'));
    if (!changes.ok || !profile.ok) return;
    const p = profile.data;
    const named = (verdict) => p.commands.filter((k) => k.verdict === verdict).map((k) => k.sub || k.cmd).join(', ');
    const facts = [['seenGap', p.keepalive_gap_ms ? `${(p.keepalive_gap_ms / 1000).toFixed(0)} s` : ''], ['seenKnows', named('knows')], ['seenLacks', named('lacks')], ['seenFaults', inLanguage(p, 'deviation_kinds').join('; ')]];
    this.facts.replaceChildren(...facts.flatMap(([k, v]) => (v ? [h('dt', { t: k }), h('dd', { text: v })] : [])), ...(p.behind_nat ? [h('dt', {}), h('dd', { t: 'seenNat' })] : []));
    this.table.draw(changes.data.items.map((c) => h('tr', {}, h('td', { text: when(c.time) }), h('td', { t: c.online ? 'online' : 'offline' }), h('td', { class: 'wide', text: inLanguage(c, 'cause') }))));
  }
}
