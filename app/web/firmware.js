// Firmware of a device (2022): files that are here, and orders to fetch one.
import { button, bytes, call, devicePath, field, h, inLanguage, listen, listing, may, query, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { upgrading: 'Firmware (2022)', firmwareFile: 'File', firmwareUpload: 'Upload a file', firmwareVersion: 'Version that it is', firmwareMaker: 'Maker (empty: as the device tells)', upgradeNow: 'Let the device install it', firmwareDelete: 'Delete the file', noFirmware: 'No file is here: upload one.',
    reallyUpgrade: 'The device fetches the file, installs it and restarts. Go on?', upgradeSent: 'It is ordered.', uploading: 'Uploading …', up_sent: 'ordered', up_fetched: 'fetched', up_succeeded: 'installed', up_failed: 'failed', up_silent: 'no result', fetchedBytes: 'Fetched', runsNow: 'Runs', upgradeEvidence: 'Why' },
  zh: { upgrading: '固件升级（2022）', firmwareFile: '文件', firmwareUpload: '上传文件', firmwareVersion: '文件的版本', firmwareMaker: '厂商（留空则按设备上报）', upgradeNow: '下发升级', firmwareDelete: '删除文件', noFirmware: '没有固件文件，请先上传。',
    reallyUpgrade: '设备将下载并安装该文件，然后重启。确定继续？', upgradeSent: '已下发。', uploading: '正在上传 …', up_sent: '已下发', up_fetched: '已下载', up_succeeded: '已安装', up_failed: '失败', up_silent: '无结果', fetchedBytes: '已下载', runsNow: '当前版本', upgradeEvidence: '原因' },
});

const NAME_SHOWN = 12; // digits of a file's SHA-256

export class Firmware {
  constructor() {
    this.said = status();
    this.files = h('select', { required: true });
    this.upload = h('input', { type: 'file', onchange: () => this.add() });
    this.version = h('input', { type: 'text', required: true, maxlength: 64, autocomplete: 'off' });
    this.maker = h('input', { type: 'text', maxlength: 64, autocomplete: 'off' });
    this.form = h('form', { class: 'fields', onsubmit: (e) => { e.preventDefault(); this.order(); } }, field('firmwareUpload', this.upload), field('firmwareFile', this.files), field('firmwareVersion', this.version), field('firmwareMaker', this.maker),
      h('div', { class: 'tools' }, h('button', { type: 'submit', t: 'upgradeNow' }), button('firmwareDelete', () => this.remove())));
    this.table = listing(['time', 'firmwareVersion', 'recorderState', 'fetchedBytes', 'runsNow', 'upgradeEvidence']);
    this.root = h('details', { 'data-needs': 'admin', ontoggle: () => this.load() }, h('summary', {}, h('b', { t: 'upgrading' })), this.form, this.said, this.table.root);
    listen('upgrade reset', () => this.load());
  }

  // null: of none
  show(device) {
    this.device = device;
    this.root.hidden = !device;
    this.said.textContent = '';
    this.load();
  }

  async load() {
    const { device } = this;
    if (!device || !this.root.open || !may('admin')) return;
    const [files, orders] = await Promise.all([call('GET', '/firmware'), call('GET', `/upgrades?${query({ device })}`)]);
    if (device !== this.device) return;
    if (!files.ok || !orders.ok) { this.said.textContent = trouble(files) || trouble(orders); return; }
    const was = this.files.value;
    this.files.replaceChildren(...files.data.items.map((f) => h('option', { value: f.sha256, text: `${f.sha256.slice(0, NAME_SHOWN)}… ${bytes(f.size)} ${when(f.uploaded_at)}` })));
    if (files.data.items.some((f) => f.sha256 === was)) this.files.value = was;
    if (!files.data.items.length && !this.said.textContent) this.said.textContent = t('noFirmware');
    this.table.draw(orders.data.items.map((u) => h('tr', {}, h('td', { text: when(u.asked_at) }), h('td', { text: u.version }), h('td', { text: t(`up_${u.state}`).replace('up_', '') }), h('td', { text: u.fetches ? bytes(u.fetched_bytes) : '' }),
      h('td', { text: u.runs }), h('td', { class: 'wide', text: inLanguage(u, 'evidence') }))));
  }

  async add() {
    const [file] = this.upload.files;
    if (!file) return;
    this.said.textContent = t('uploading');
    const r = await call('POST', '/firmware', file);
    this.said.textContent = trouble(r);
    this.upload.value = '';
    await this.load();
    if (r.ok) this.files.value = r.data.sha256;
  }

  async order() {
    if (!window.confirm(t('reallyUpgrade'))) return;
    const r = await call('POST', `${devicePath(this.device)}/upgrade`, { firmware: this.files.value, version: this.version.value.trim(), ...(this.maker.value.trim() && { manufacturer: this.maker.value.trim() }) });
    this.said.textContent = trouble(r) || t('upgradeSent');
    this.load();
  }

  async remove() {
    if (!this.files.value || !window.confirm(t('reallyDelete'))) return;
    this.said.textContent = trouble(await call('DELETE', `/firmware/${this.files.value}`));
    this.load();
  }
}
