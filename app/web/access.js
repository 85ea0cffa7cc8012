// Who may do what: the own password, users, and tokens for programs.
import { button, call, devicePath, field, h, listing, may, me, query, removeAsked, select, soon, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';
import { KINDS, readWanted, showWanted, wanted } from './subscriptions.js';

addTexts({
  en: { ownPassword: 'Own password', presentPassword: 'Present password', freshPassword: 'New password', setPassword: 'Set it', passwordSet: 'It is set; other sessions have ended.',
    users: 'Users', tokens: 'Tokens for programs', role: 'Role', sees: 'Sees', madeAt: 'Made', addUser: 'Add a user', addToken: 'Make a token',
    changeUser: 'Change', cancel: 'Cancel', everything: 'everything', seesAll: 'Sees everything', scopeDevices: 'Devices (ids)', scopeGroups: 'Groups', noGroupsYet: 'none yet: make one below', groups: 'Groups of devices', addGroup: 'Make a group', changeGroup: 'Change', groupDevices: 'Devices', groupName: 'Group', groupDevice: 'Device (id)', groupPassword: 'Password of its devices (empty: none of its own)', groupPolicy: 'What its devices are asked to report', noOwnPassword: 'No password of its own', noGroups: 'There are none. A group is what a user may see, and may have a password of its own for its devices.',
    hasPassword: 'own password', openGroup: 'Devices', putInGroup: 'Put into the group', outOfGroup: 'Take out', groupEmpty: 'No device is in it.', groupSaved: 'Saved.',
    passwordKeep: 'Password (empty: as it is)', tokenOnce: 'The token, told this once:', noTokens: 'There are none.' },
  zh: { ownPassword: '本人密码', presentPassword: '当前密码', freshPassword: '新密码', setPassword: '修改', passwordSet: '已修改，其他会话已结束。',
    users: '用户', tokens: '程序令牌', role: '角色', sees: '可见范围', madeAt: '创建时间', addUser: '添加用户', addToken: '创建令牌',
    changeUser: '修改', cancel: '取消', everything: '全部', seesAll: '可见全部', scopeDevices: '设备（编号）', scopeGroups: '分组', noGroupsYet: '暂无分组，请在下方新建', groups: '设备分组', addGroup: '新建分组', changeGroup: '修改', groupDevices: '设备数', groupName: '分组', groupDevice: '设备（编号）', groupPassword: '组内设备的密码（留空则不单独设置）', groupPolicy: '组内设备的订阅策略', noOwnPassword: '取消单独密码', noGroups: '没有分组。分组可作为用户的可见范围，也可为组内设备单独设置密码。',
    hasPassword: '独立密码', openGroup: '设备', putInGroup: '加入分组', outOfGroup: '移出', groupEmpty: '分组内没有设备。', groupSaved: '已保存。',
    passwordKeep: '密码（留空不变）', tokenOnce: '令牌仅显示这一次：', noTokens: '没有令牌。' },
});

const NAME = '[A-Za-z0-9_.@\\-]+';
const PASSWORD = { type: 'password', autocomplete: 'new-password', minlength: 8, maxlength: 256 };
const ROLES = [['viewer', 'viewer'], ['operator', 'operator'], ['admin', 'admin']];

const groupPath = (name) => `/groups/${encodeURIComponent(name)}`;
const words = (text) => text.split(/[\s,，]+/).filter(Boolean);
const scopeText = (scope) => (scope ? [...scope.devices ?? [], ...scope.groups ?? []].join(', ') || t('nothing') : t('everything'));

// What somebody sees: null is everything. Groups are chosen from those that there are.
class Scope {
  constructor() {
    this.all = h('input', { type: 'checkbox', checked: true, onchange: () => this.show() });
    this.devices = h('input', { type: 'text', size: 24 });
    this.groups = h('span', { class: 'picks' });
    this.none = h('span', { class: 'hint', t: 'noGroupsYet' });
    this.parts = [field('scopeDevices', this.devices), h('span', { class: 'pick-one', role: 'group', label: 'scopeGroups' }, h('span', { t: 'scopeGroups' }), this.groups, this.none)];
    this.root = h('span', { class: 'tools' }, field('seesAll', this.all), this.parts);
    this.offer([]);
  }

  show() {
    for (const p of this.parts) p.hidden = this.all.checked;
    this.none.hidden = this.groups.children.length > 0;
  }

  // What there is to choose from; one that is gone stays until it is unchosen.
  offer(names) {
    this.names = names;
    this.draw(this.chosen);
  }

  draw(chosen) {
    this.groups.replaceChildren(...[...new Set([...this.names, ...chosen])].map((name) => h('label', {}, h('input', { type: 'checkbox', value: name, checked: chosen.includes(name) }), h('span', { text: name }))));
    this.show();
  }

  get chosen() {
    return [...this.groups.querySelectorAll('input:checked')].map((i) => i.value);
  }

  get value() {
    return this.all.checked ? null : { devices: words(this.devices.value), groups: this.chosen };
  }

  set value(scope) {
    this.all.checked = !scope;
    this.devices.value = (scope?.devices ?? []).join(' ');
    this.draw(scope?.groups ?? []);
  }
}

const form = (title, submit, ...kids) => h('form', { class: 'card stack', onsubmit: (e) => { e.preventDefault(); submit(); } }, title && h('h3', { t: title }), ...kids);
// What a form does, in its title and on its button
function names(submit, key) {
  for (const e of [submit, submit.form.querySelector('h3')]) { e.dataset.t = key; e.textContent = t(key); }
}
const nameInput = () => h('input', { type: 'text', required: true, maxlength: 64, pattern: NAME, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });

class OwnPassword {
  constructor() {
    this.old = h('input', { type: 'password', autocomplete: 'current-password', required: true });
    this.fresh = h('input', { ...PASSWORD, required: true });
    this.said = status();
    this.root = form('', () => this.save(), h('h2', { t: 'ownPassword' }), h('div', { class: 'tools' }, field('presentPassword', this.old), field('freshPassword', this.fresh), h('button', { type: 'submit', t: 'setPassword' })), this.said);
  }

  async save() {
    const r = await call('POST', '/me/password', { password: this.old.value, new_password: this.fresh.value });
    this.said.textContent = trouble(r) || t('passwordSet');
    if (r.ok) this.old.value = this.fresh.value = '';
  }
}

class Users {
  constructor() {
    this.said = status();
    this.table = listing(['loginName', 'role', 'sees', 'madeAt', '']);
    this.name = nameInput();
    this.password = h('input', { ...PASSWORD, required: true });
    this.role = select(ROLES);
    this.scope = new Scope();
    this.submit = h('button', { type: 'submit', t: 'addUser' });
    this.cancel = button('cancel', () => this.edit(null), { hidden: true });
    this.root = h('section', { class: 'stack', 'data-needs': 'admin' }, h('h2', { t: 'users' }), this.said, this.table.root,
      form('addUser', () => this.save(), h('div', { class: 'tools' }, field('loginName', this.name), field('loginPassword', this.password), field('role', this.role), this.scope.root, this.submit, this.cancel)));
  }

  // As it is now, with the tag that a change by somebody else since would alter
  async change(name) {
    const r = await call('GET', `/users/${encodeURIComponent(name)}`);
    this.said.textContent = trouble(r);
    this.tag = r.tag;
    if (!r.ok) return;
    this.edit(r.data);
    this.password.focus();
  }

  // null: another one is added
  edit(user) {
    this.editing = user;
    this.name.value = user?.name ?? '';
    this.name.disabled = Boolean(user);
    this.password.value = '';
    this.password.required = !user;
    this.password.previousElementSibling.dataset.t = user ? 'passwordKeep' : 'loginPassword';
    this.password.previousElementSibling.textContent = t(user ? 'passwordKeep' : 'loginPassword');
    this.role.value = user?.role ?? 'viewer';
    this.scope.value = user?.scope ?? null;
    names(this.submit, user ? 'changeUser' : 'addUser');
    this.cancel.hidden = !user;
  }

  async save() {
    const body = { role: this.role.value, scope: this.scope.value };
    if (this.password.value) body.password = this.password.value;
    const r = this.editing ? await call('PATCH', `/users/${encodeURIComponent(this.editing.name)}`, body, this.tag) : await call('POST', '/users', { name: this.name.value, ...body });
    this.said.textContent = trouble(r) || t('saved');
    if (!r.ok) return;
    this.edit(null);
    this.load();
  }

  async load() {
    const r = await call('GET', '/users');
    if (!r.ok) this.said.textContent = trouble(r);
    this.table.draw((r.ok ? r.data.items : []).map((u) => h('tr', { 'data-id': u.name }, h('td', { text: u.name }), h('td', { text: t(u.role) }), h('td', { class: 'wide', text: scopeText(u.scope) }), h('td', { text: when(u.created_at) }),
      h('td', { class: 'acts' }, button('change', () => this.change(u.name)), button('del', () => this.remove(u))))));
  }

  async remove(u) {
    const r = await removeAsked(`/users/${encodeURIComponent(u.name)}`);
    if (!r) return;
    this.said.textContent = trouble(r);
    this.load();
  }
}

// Groups, and the devices of the one that is opened. Names of the others fill
// what may be put in.
class Groups {
  constructor(on) {
    this.on = on; // told the names of all
    this.said = status();
    this.table = listing(['groupName', 'groupDevices', 'loginPassword', '']);
    this.name = h('input', { type: 'text', required: true, maxlength: 64, pattern: '[^\\/,]+', autocomplete: 'off' });
    this.password = h('input', { type: 'password', autocomplete: 'new-password', maxlength: 64 });
    this.submit = h('button', { type: 'submit', t: 'addGroup' });
    this.cancel = button('cancel', () => this.edit(null), { hidden: true });
    this.none = h('input', { type: 'checkbox' });
    this.noneField = field('noOwnPassword', this.none);
    this.policy = KINDS.map((kind) => wanted(kind));
    this.noneField.hidden = true;
    this.about = h('h3', {});
    this.inside = listing(['scopeDevices', '']);
    this.id = h('input', { type: 'text', required: true, list: 'group-others', size: 24, autocomplete: 'off', inputmode: 'numeric' });
    this.others = h('datalist', { id: 'group-others' });
    this.id.addEventListener('input', soon(() => this.suggest(), 250));
    this.opened = h('form', { class: 'card stack', hidden: true, onsubmit: (e) => { e.preventDefault(); this.move(this.id.value.trim(), this.at); } }, this.about, this.inside.root,
      h('div', { class: 'tools' }, field('groupDevice', this.id), this.others, h('button', { type: 'submit', t: 'putInGroup' })));
    this.root = h('section', { class: 'stack', 'data-needs': 'admin' }, h('h2', { t: 'groups' }), this.said, this.table.root, this.opened,
      form('addGroup', () => this.save(), h('div', { class: 'tools' }, field('groupName', this.name), field('groupPassword', this.password), this.noneField),
        h('fieldset', { class: 'tools' }, h('legend', { t: 'groupPolicy' }), this.policy.map((box) => field(`kind_${box.dataset.kind}`, box))), h('div', { class: 'tools' }, this.submit, this.cancel)));
  }

  async change(name) {
    const r = await call('GET', groupPath(name));
    this.said.textContent = trouble(r);
    this.tag = r.tag;
    if (!r.ok) return;
    this.edit(r.data);
    this.password.focus();
  }

  edit(group) {
    this.editing = group;
    this.name.value = group?.name ?? '';
    this.name.disabled = Boolean(group);
    this.password.value = '';
    const label = this.password.previousElementSibling;
    label.dataset.t = group ? 'passwordKeep' : 'groupPassword';
    label.textContent = t(label.dataset.t);
    this.none.checked = false;
    this.noneField.hidden = !group?.has_password;
    for (const box of this.policy) showWanted(box, group?.subscribe[box.dataset.kind]);
    names(this.submit, group ? 'changeGroup' : 'addGroup');
    this.cancel.hidden = !group;
  }

  async save() {
    const body = { subscribe: Object.fromEntries(this.policy.map((box) => [box.dataset.kind, readWanted(box)])) };
    if (this.password.value || this.none.checked) body.password = this.password.value || null;
    const r = this.editing ? await call('PATCH', groupPath(this.editing.name), body, this.tag) : await call('POST', '/groups', { name: this.name.value.trim(), ...body });
    if (r.ok) this.edit(null);
    await this.load();
    this.said.textContent = trouble(r) || t('groupSaved');
  }

  async load() {
    const r = await call('GET', '/groups');
    const items = r.ok ? r.data.items : [];
    if (r.ok) this.on(items.map((g) => g.name));
    this.said.textContent = trouble(r) || (items.length ? '' : t('noGroups'));
    this.table.draw(items.map((g) => h('tr', { 'data-id': g.name }, h('td', { class: 'wide', text: g.name }), h('td', { text: g.devices }), h('td', { text: g.has_password ? t('hasPassword') : '' }),
      h('td', { class: 'acts' }, button('openGroup', () => this.open(g.name)), button('change', () => this.change(g.name)), button('del', () => this.remove(g))))));
    if (this.at && !items.some((g) => g.name === this.at)) this.open(null);
  }

  // null: none any more
  async open(name) {
    this.at = name;
    this.opened.hidden = !name;
    if (!name) return;
    const r = await call('GET', `/devices?${query({ limit: 10000, group: name })}`);
    if (name !== this.at) return;
    const items = r.ok ? r.data.items : [];
    this.about.textContent = `${name}: ${trouble(r) || (items.length ? items.length : t('groupEmpty'))}`;
    this.inside.draw(items.map((d) => h('tr', { 'data-id': d.id }, h('td', { class: 'wide' }, h('b', { text: d.name || d.id }), d.name ? h('span', { class: 'id', text: d.id }) : ''),
      h('td', { class: 'acts' }, button('outOfGroup', () => this.move(d.id, null))))));
    this.suggest();
  }

  async suggest() {
    const r = await call('GET', `/devices?${query({ limit: 20, q: this.id.value.trim() })}`);
    if (r.ok) this.others.replaceChildren(...r.data.items.filter((d) => d.group !== this.at).map((d) => h('option', { value: d.id, text: d.name || d.id })));
  }

  async move(id, group) {
    const r = await call('PATCH', devicePath(id), { group });
    if (r.ok) this.id.value = '';
    await this.load();
    this.said.textContent = trouble(r) || t('groupSaved');
    this.open(this.at);
  }

  async remove(g) {
    const r = await removeAsked(groupPath(g.name));
    if (!r) return;
    await this.load();
    if (!r.ok) this.said.textContent = trouble(r);
  }
}

class Tokens {
  constructor() {
    this.said = status();
    this.once = h('code', { class: 'once' });
    this.onceBox = h('p', { class: 'card', role: 'status', hidden: true }, h('span', { t: 'tokenOnce' }), ' ', this.once);
    this.table = listing(['nameOfIt', 'role', 'sees', 'madeAt', '']);
    this.name = nameInput();
    this.role = select(ROLES);
    this.scope = new Scope();
    this.root = h('section', { class: 'stack', 'data-needs': 'admin' }, h('h2', { t: 'tokens' }), this.said, this.onceBox, this.table.root,
      form('addToken', () => this.make(), h('div', { class: 'tools' }, field('nameOfIt', this.name), field('role', this.role), this.scope.root, h('button', { type: 'submit', t: 'addToken' }))));
  }

  async make() {
    const r = await call('POST', '/tokens', { name: this.name.value, role: this.role.value, scope: this.scope.value });
    this.said.textContent = trouble(r);
    this.onceBox.hidden = !r.ok;
    this.once.textContent = r.ok ? r.data.token : '';
    if (r.ok) this.name.value = '';
    this.load();
  }

  forget() {
    this.onceBox.hidden = true;
    this.once.textContent = '';
  }

  async load() {
    const r = await call('GET', '/tokens');
    const items = r.ok ? r.data.items : [];
    if (!r.ok || !items.length) this.said.textContent = trouble(r) || t('noTokens');
    this.table.draw(items.map((k) => h('tr', { 'data-id': k.name }, h('td', { text: k.name }), h('td', { text: t(k.role) }), h('td', { class: 'wide', text: scopeText(k.scope) }), h('td', { text: when(k.created_at) }),
      h('td', { class: 'acts' }, button('del', () => this.remove(k))))));
  }

  async remove(k) {
    if (!window.confirm(t('reallyDelete'))) return;
    this.said.textContent = trouble(await call('DELETE', `/tokens/${encodeURIComponent(k.name)}`));
    this.load();
  }
}

export default class Access {
  constructor(root) {
    this.own = new OwnPassword();
    this.users = new Users();
    this.tokens = new Tokens();
    this.groups = new Groups((names) => { for (const of of [this.users, this.tokens]) of.scope.offer(names); });
    root.append(h('h1', { t: 'view_access' }), this.own.root, this.users.root, this.groups.root, this.tokens.root);
  }

  show() {
    this.shown = true;
    this.own.root.hidden = me.via !== 'cookie';
    if (!may('admin')) return;
    this.users.load();
    this.groups.load();
    this.tokens.load();
  }

  hide() {
    this.shown = false;
    this.users.edit(null);
    this.groups.edit(null);
    this.groups.open(null);
    this.tokens.forget();
  }

  language() {
    if (this.shown) this.show();
  }
}
