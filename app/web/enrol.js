// Devices that are to come: one by its id and password, or many as CSV.
import { call, devicePath, field, h, inLanguage, status, trouble } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { enrol: 'Add devices beforehand', enrolText: 'A device that is known here is let in with its own password, or with that of its group or of the platform where it has none.', enrolId: 'Device ID (20 digits)', enrolName: 'Name', enrolPassword: 'Password of its own (may be empty)', enrolAdd: 'Add', enrolled: 'It is added, and can register now.',
    enrolSet: 'Its settings', enrolFile: 'Many, from a CSV file', enrolExport: 'All as CSV', csvDone: 'Added: {created}, changed: {updated}, refused: {failed}.', csvLine: 'line' },
  zh: { enrol: '预先添加设备', enrolText: '已添加的设备用单独密码接入；未单独设置时使用分组或平台的密码。', enrolId: '设备编号（20 位）', enrolName: '名称', enrolPassword: '单独密码（可留空）', enrolAdd: '添加', enrolled: '已添加，设备可以注册。',
    enrolSet: '其设置', enrolFile: '从 CSV 文件批量添加', enrolExport: '全部导出为 CSV', csvDone: '新增 {created}，修改 {updated}，失败 {failed}。', csvLine: '行' },
});

const ERRORS_SHOWN = 5;

export class Enrol {
  constructor() {
    this.said = status();
    this.where = h('a', { href: '#/settings', t: 'enrolSet', hidden: true });
    const text = (more) => h('input', { type: 'text', autocomplete: 'off', ...more });
    this.id = text({ required: true, pattern: '\\d{18,20}', inputmode: 'numeric', size: 22 });
    this.name = text({ maxlength: 128 });
    this.password = h('input', { type: 'password', autocomplete: 'new-password', maxlength: 64 });
    this.file = h('input', { type: 'file', accept: '.csv,text/csv', onchange: () => this.upload() });
    this.root = h('details', { class: 'card', 'data-needs': 'admin' }, h('summary', { t: 'enrol' }), h('p', { class: 'hint', t: 'enrolText' }),
      h('form', { class: 'fields', onsubmit: (e) => { e.preventDefault(); this.add(); } }, field('enrolId', this.id), field('enrolName', this.name), field('enrolPassword', this.password), h('button', { type: 'submit', t: 'enrolAdd' })),
      h('div', { class: 'tools' }, this.said, this.where), h('form', { class: 'tools' }, field('enrolFile', this.file), h('a', { class: 'button', href: '/api/v1/devices.csv', download: 'devices.csv', t: 'enrolExport' })));
  }

  async add() {
    const id = this.id.value.trim();
    const r = await call('POST', '/devices', { id, ...(this.name.value.trim() && { name: this.name.value.trim() }), ...(this.password.value && { password: this.password.value }) });
    this.said.textContent = trouble(r) || t('enrolled');
    this.where.hidden = !r.ok;
    this.where.href = `#${devicePath(id).replace('devices', 'settings')}`;
    if (r.ok) this.id.value = this.name.value = this.password.value = '';
  }

  async upload() {
    const [file] = this.file.files;
    if (!file) return;
    const r = await call('POST', '/devices.csv', new Blob([file], { type: 'text/csv' }));
    this.file.value = '';
    this.where.hidden = true;
    this.said.textContent = trouble(r) || [t('csvDone').replace(/\{(\w+)\}/g, (_, k) => r.data[k]), ...(r.data.errors ?? []).slice(0, ERRORS_SHOWN).map((e) => `${t('csvLine')} ${e.line}: ${inLanguage(e, 'why')}`)].join(' ');
  }
}
