// Who may do what: the own password, users, and tokens for programs.
import { button, call, field, h, listing, may, me, select, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { ownPassword: 'Own password', presentPassword: 'Present password', freshPassword: 'New password', setPassword: 'Set it', passwordSet: 'It is set; other sessions have ended.',
    users: 'Users', tokens: 'Tokens for programs', role: 'Role', sees: 'Sees', madeAt: 'Made', addUser: 'Add a user', addToken: 'Make a token',
    changeUser: 'Change', cancel: 'Cancel', everything: 'everything', seesAll: 'Sees everything', scopeDevices: 'Devices (ids)', scopeGroups: 'Groups',
    passwordKeep: 'Password (empty: as it is)', tokenOnce: 'The token, told this once:', noTokens: 'There are none.' },
  zh: { ownPassword: '本人密码', presentPassword: '当前密码', freshPassword: '新密码', setPassword: '修改', passwordSet: '已修改，其他会话已结束。',
    users: '用户', tokens: '程序令牌', role: '角色', sees: '可见范围', madeAt: '创建时间', addUser: '添加用户', addToken: '创建令牌',
    changeUser: '修改', cancel: '取消', everything: '全部', seesAll: '可见全部', scopeDevices: '设备（编号）', scopeGroups: '分组',
    passwordKeep: '密码（留空不变）', tokenOnce: '令牌仅显示这一次：', noTokens: '没有令牌。' },
});

const NAME = '[A-Za-z0-9_.@\\-]+';
const PASSWORD = { type: 'password', autocomplete: 'new-password', minlength: 8, maxlength: 256 };
const ROLES = [['viewer', 'viewer'], ['operator', 'operator'], ['admin', 'admin']];

const words = (text) => text.split(/[\s,，]+/).filter(Boolean);
const scopeText = (scope) => (scope ? [...scope.devices ?? [], ...scope.groups ?? []].join(', ') || t('nothing') : t('everything'));

// What somebody sees: null is everything. Groups may have blanks in their names.
class Scope {
  constructor() {
    this.all = h('input', { type: 'checkbox', checked: true, onchange: () => this.show() });
    this.devices = h('input', { type: 'text', size: 24 });
    this.groups = h('input', { type: 'text', size: 16 });
    this.parts = [field('scopeDevices', this.devices), field('scopeGroups', this.groups)];
    this.root = h('span', { class: 'tools' }, field('seesAll', this.all), this.parts);
    this.show();
  }

  show() {
    for (const p of this.parts) p.hidden = this.all.checked;
  }

  get value() {
    return this.all.checked ? null : { devices: words(this.devices.value), groups: this.groups.value.split(/[,，]/).map((s) => s.trim()).filter(Boolean) };
  }

  set value(scope) {
    this.all.checked = !scope;
    this.devices.value = (scope?.devices ?? []).join(' ');
    this.groups.value = (scope?.groups ?? []).join(', ');
    this.show();
  }
}

const form = (title, submit, ...kids) => h('form', { class: 'card stack', onsubmit: (e) => { e.preventDefault(); submit(); } }, h('h3', { t: title }), ...kids);
const nameInput = () => h('input', { type: 'text', required: true, maxlength: 64, pattern: NAME, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });

class OwnPassword {
  constructor() {
    this.old = h('input', { type: 'password', autocomplete: 'current-password', required: true });
    this.fresh = h('input', { ...PASSWORD, required: true });
    this.said = status();
    this.root = form('ownPassword', () => this.save(), h('div', { class: 'tools' }, field('presentPassword', this.old), field('freshPassword', this.fresh), h('button', { type: 'submit', t: 'setPassword' })), this.said);
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
    this.submit.dataset.t = user ? 'changeUser' : 'addUser';
    this.submit.textContent = t(this.submit.dataset.t);
    this.cancel.hidden = !user;
  }

  async save() {
    const body = { role: this.role.value, scope: this.scope.value };
    if (this.password.value) body.password = this.password.value;
    const r = this.editing ? await call('PATCH', `/users/${encodeURIComponent(this.editing.name)}`, body) : await call('POST', '/users', { name: this.name.value, ...body });
    this.said.textContent = trouble(r) || t('saved');
    if (!r.ok) return;
    this.edit(null);
    this.load();
  }

  async load() {
    const r = await call('GET', '/users');
    if (!r.ok) this.said.textContent = trouble(r);
    this.table.draw((r.ok ? r.data.items : []).map((u) => h('tr', { 'data-id': u.name }, h('td', { text: u.name }), h('td', { text: t(u.role) }), h('td', { class: 'wide', text: scopeText(u.scope) }), h('td', { text: when(u.created_at) }),
      h('td', { class: 'acts' }, button('change', () => this.edit(u)), button('del', () => this.remove(u))))));
  }

  async remove(u) {
    if (!window.confirm(t('reallyDelete'))) return;
    this.said.textContent = trouble(await call('DELETE', `/users/${encodeURIComponent(u.name)}`));
    this.load();
  }
}

class Tokens {
  constructor() {
    this.said = status();
    this.once = h('code', { class: 'once' });
    this.onceBox = h('p', { class: 'card', role: 'status', hidden: true }, h('span', { t: 'tokenOnce' }), ' ', this.once);
    this.table = listing(['loginName', 'role', 'sees', 'madeAt', '']);
    this.name = nameInput();
    this.role = select(ROLES);
    this.scope = new Scope();
    this.root = h('section', { class: 'stack', 'data-needs': 'admin' }, h('h2', { t: 'tokens' }), this.said, this.onceBox, this.table.root,
      form('addToken', () => this.make(), h('div', { class: 'tools' }, field('loginName', this.name), field('role', this.role), this.scope.root, h('button', { type: 'submit', t: 'addToken' }))));
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
    root.append(h('h1', { t: 'view_access' }), this.own.root, this.users.root, this.tokens.root);
  }

  show() {
    this.shown = true;
    this.own.root.hidden = me.via !== 'cookie';
    if (!may('admin')) return;
    this.users.load();
    this.tokens.load();
  }

  hide() {
    this.shown = false;
    this.users.edit(null);
    this.tokens.forget();
  }

  language() {
    if (this.shown) this.show();
  }
}
