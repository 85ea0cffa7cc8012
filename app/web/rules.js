// What is done by itself when an alarm comes.
import { button, call, field, h, inLanguage, listing, may, readAgain, removeAsked, select, status, trouble } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { rules: 'What is done by itself', noRules: 'There are no rules.', ruleName: 'Name', ruleWhen: 'Alarms of', ruleDoes: 'What is done', ruleFollowed: 'Followed', ruleHeld: 'held back', ruleDevice: 'Device id (empty: any)', ruleChannel: 'Channel id (empty: any)', ruleAtDevice: 'At another device', ruleAtChannel: 'At another channel',
    ruleUrgency: 'This urgent or more', ruleRecord: 'Record (s)', rulePreset: 'Turn to preset', ruleSnapshot: 'Picture by the camera', ruleHook: 'Webhook', ruleEvery: 'Not again within (s)', ruleOn: 'In force', ruleSave: 'Save the rule', ruleReplace: 'There is a rule of this name: replace it?', ruleAny: 'any device', noHook: 'none' },
  zh: { rules: '报警联动', noRules: '没有联动规则。', ruleName: '名称', ruleWhen: '报警来源', ruleDoes: '联动动作', ruleFollowed: '执行次数', ruleHeld: '被抑制', ruleDevice: '设备编号（留空为任意）', ruleChannel: '通道编号（留空为任意）', ruleAtDevice: '在另一设备执行', ruleAtChannel: '在另一通道执行',
    ruleUrgency: '此级别及更紧急', ruleRecord: '录像（秒）', rulePreset: '转到预置位', ruleSnapshot: '设备抓拍', ruleHook: 'Webhook', ruleEvery: '多少秒内不重复', ruleOn: '启用', ruleSave: '保存规则', ruleReplace: '已有同名规则，确定替换？', ruleAny: '任意设备', noHook: '无' },
});

const TEXTS = ['device', 'channel', 'method', 'priority'];
const path = (name) => `/rules/${encodeURIComponent(name)}`;

export class Rules {
  constructor() {
    this.said = status();
    this.again = readAgain(() => this.change(this.editing.name));
    this.table = listing(['ruleName', 'ruleWhen', 'ruleDoes', 'ruleFollowed', '']);
    const text = (more) => h('input', { type: 'text', autocomplete: 'off', maxlength: 64, ...more });
    const number = (max) => h('input', { type: 'number', min: 0, max, value: 0 });
    const f = this.f = { name: text({ required: true, pattern: '[A-Za-z0-9_.\\-]+' }), device: text(), channel: text(), method: select([['', 'anyKind'], ...[1, 2, 3, 4, 5, 6, 7].map((m) => [m, `m${m}`])]),
      priority: select([['', 'anyKind'], ...[1, 2, 3, 4].map((p) => [p, `p${p}`])]), at_device: text(), at_channel: text(), record_s: number(3600), preset: number(255), snapshot: h('input', { type: 'checkbox' }), webhook: h('select', {}), every_s: number(86400), enabled: h('input', { type: 'checkbox', checked: true }) };
    this.form = h('form', { class: 'fields', onsubmit: (e) => { e.preventDefault(); this.save(); } }, field('ruleName', f.name), field('ruleDevice', f.device), field('ruleChannel', f.channel), field('alarmMethod', f.method), field('ruleUrgency', f.priority),
      field('ruleRecord', f.record_s), field('rulePreset', f.preset), field('ruleHook', f.webhook), field('ruleEvery', f.every_s), field('ruleAtDevice', f.at_device), field('ruleAtChannel', f.at_channel),
      h('div', { class: 'tools' }, field('ruleSnapshot', f.snapshot), field('ruleOn', f.enabled), h('button', { type: 'submit', t: 'ruleSave' })));
    this.root = h('details', { class: 'card rules', 'data-needs': 'admin', ontoggle: () => this.load() }, h('summary', {}, h('b', { t: 'rules' })), this.table.root, this.said, this.again, this.form);
  }

  async load() {
    if (!this.root.open || !may('admin')) return;
    const [rules, hooks] = await Promise.all([call('GET', '/rules'), call('GET', '/webhooks')]);
    const was = this.f.webhook.value;
    this.f.webhook.replaceChildren(h('option', { value: '', t: 'noHook' }), ...(hooks.ok ? hooks.data.items : []).map((k) => h('option', { text: k.name })));
    this.f.webhook.value = was;
    this.said.textContent = trouble(rules) || (rules.data.items.length ? '' : t('noRules'));
    this.table.draw((rules.ok ? rules.data.items : []).map((k) => this.row(k)));
  }

  row(k) {
    const { when, at } = k;
    const of = [when.device || when.group || t('ruleAny'), when.channel, when.method && t(`m${when.method}`), when.type, when.priority && `≤ ${when.priority}`];
    const does = [k.record_s && `${t('ruleRecord')} ${k.record_s}`, k.preset && `${t('rulePreset')} ${k.preset}`, k.snapshot && t('ruleSnapshot'), k.webhook && `${t('ruleHook')} ${k.webhook}`, (at.device || at.channel) && `→ ${[at.device, at.channel].filter(Boolean).join('/')}`];
    return h('tr', { 'data-id': k.name }, h('td', {}, h('b', { text: k.name }), k.enabled ? '' : h('span', { class: 'id', t: 'isOffWord' })), h('td', { class: 'wide', text: of.filter(Boolean).join(' · ') }), h('td', { class: 'wide', text: does.filter(Boolean).join(' · ') }),
      h('td', { class: k.failed ? 'wide bad' : '', text: [k.followed, k.held_back ? `(${k.held_back} ${t('ruleHeld')})` : '', inLanguage(k, 'why')].filter((x) => x !== '').join(' ') }),
      h('td', { class: 'acts' }, button('change', () => this.change(k.name)), button('del', () => this.remove(k))));
  }

  // As it is now, with the tag that a change by somebody else since would alter
  async change(name) {
    const r = await call('GET', path(name));
    this.said.textContent = trouble(r);
    this.again.hidden = true;
    this.tag = r.tag;
    if (!r.ok) return;
    this.edit(r.data);
    this.f.device.focus();
  }

  // What the form has no field for (type, group) stays as it was.
  edit(k) {
    const { f } = this;
    this.editing = k;
    for (const key of TEXTS) f[key].value = k.when[key] ?? '';
    for (const key of ['device', 'channel']) f[`at_${key}`].value = k.at[key] ?? '';
    for (const key of ['name', 'record_s', 'preset', 'webhook', 'every_s']) f[key].value = k[key];
    for (const key of ['snapshot', 'enabled']) f[key].checked = k[key];
  }

  // Also one that somebody else has made since the table was drawn
  async isThere(name) {
    const r = await call('GET', '/rules');
    return r.ok && r.data.items.some((k) => k.name === name);
  }

  async save() {
    const { f } = this;
    const name = f.name.value.trim();
    const was = this.editing?.name === name ? this.editing : null;
    if (!was && await this.isThere(name) && !window.confirm(t('ruleReplace'))) return;
    const kept = { ...(was?.when.type && { type: was.when.type }), ...(was?.when.group && { group: was.when.group }) };
    const filled = (pairs) => Object.fromEntries(pairs.filter(([, v]) => v));
    const body = { enabled: f.enabled.checked, when: { ...kept, ...filled([['device', f.device.value.trim()], ['channel', f.channel.value.trim()], ['method', f.method.value], ['priority', Number(f.priority.value)]]) },
      at: filled([['device', f.at_device.value.trim()], ['channel', f.at_channel.value.trim()]]), snapshot: f.snapshot.checked, webhook: f.webhook.value, ...Object.fromEntries(['record_s', 'preset', 'every_s'].map((k) => [k, Number(f[k].value)])) };
    const r = await call('PUT', path(name), body, was ? this.tag : undefined);
    this.again.hidden = r.status !== 412;
    if (r.ok) await this.load();
    this.said.textContent = trouble(r) || t('saved');
    if (r.ok) { this.editing = null; this.form.reset(); }
  }

  async remove(k) {
    const r = await removeAsked(path(k.name));
    if (!r) return;
    await this.load();
    if (!r.ok) this.said.textContent = trouble(r);
  }
}
