// Pieces of a device's recordings on their way into files here.
import { button, bytes, call, channelPath, field, h, inLanguage, listen, listing, select, soon, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { period: 'Period', progress: 'Progress', newDownload: 'Fetch what a device has recorded', format: 'Format', fetch: 'Fetch', noDownloads: 'No downloads.', chooseForDownload: 'Choose a channel in the tree.',
    dl_queued: 'waits', dl_listing: 'asks', dl_running: 'runs', dl_done: 'done', dl_partial: 'in part', dl_failed: 'failed', asFast: 'Times as fast' },
  zh: { period: '时间段', progress: '进度', newDownload: '下载设备录像', format: '格式', fetch: '下载', noDownloads: '没有下载任务。', chooseForDownload: '请在设备树中选择通道。',
    dl_queued: '排队', dl_listing: '查询中', dl_running: '下载中', dl_done: '完成', dl_partial: '部分完成', dl_failed: '失败', asFast: '倍速' },
});

const USUAL_MS = 600000; // of a piece, unless it is chosen
const LOOK_MS = 2000; // while one is under way
const localTime = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 19);

export default class Downloads {
  constructor(root, shell) {
    this.shell = shell;
    this.said = status();
    this.who = h('b', {});
    this.from = h('input', { type: 'datetime-local', step: 1, required: true });
    this.until = h('input', { type: 'datetime-local', step: 1, required: true });
    this.format = h('select', {}, h('option', { text: 'mp4' }), h('option', { text: 'ps' }));
    this.speed = select([[1, '1'], [2, '2'], [4, '4'], [8, '8'], [16, '16']], { value: 4 });
    this.go = h('button', { type: 'submit', t: 'fetch' });
    this.table = listing(['where', 'period', 'recorderState', 'progress', 'fileSize', '']);
    this.none = h('p', { class: 'hint', t: 'noDownloads', hidden: true });
    root.append(h('h1', { t: 'view_downloads' }),
      h('form', { class: 'card stack', 'data-needs': 'operator', onsubmit: (e) => { e.preventDefault(); this.start(); } }, h('h2', { t: 'newDownload' }), this.who,
        h('div', { class: 'tools' }, field('from', this.from), field('until', this.until), field('format', this.format), field('asFast', this.speed), this.go)),
      this.said,
      this.none, this.table.root);
    listen('download reset', soon(() => this.shown && this.load(), 300));
  }

  // from, until: seconds, as the timeline hands them over
  show(device, channel, from, until) {
    this.shown = true;
    this.at = device && channel ? { device, channel } : null;
    if (this.at) this.shell.names.put(this.who, device, channel);
    else this.who.textContent = t('chooseForDownload');
    this.go.disabled = !this.at;
    const end = Number(until) * 1000 || Date.now() - Date.now() % 60000;
    this.from.value = localTime(Number(from) * 1000 || end - USUAL_MS);
    this.until.value = localTime(end);
    this.load();
    clearInterval(this.timer);
    this.timer = setInterval(() => { if (this.busy && !document.hidden) this.load(); }, LOOK_MS);
  }

  hide() {
    this.shown = false;
    clearInterval(this.timer);
  }

  async start() {
    const at = (input) => Math.floor(new Date(input.value).getTime() / 1000);
    const r = await call('POST', `${channelPath(this.at.device, this.at.channel)}/download`,
      { start: at(this.from), end: at(this.until), format: this.format.value, speed: Number(this.speed.value) });
    this.said.textContent = trouble(r);
    this.load();
  }

  async load() {
    const r = await call('GET', '/downloads?limit=500');
    const items = r.ok ? r.data.items : [];
    if (!r.ok) this.said.textContent = trouble(r);
    this.busy = items.some((d) => ['queued', 'listing', 'running'].includes(d.state));
    this.none.hidden = items.length > 0;
    this.table.draw(items.map((d) => this.row(d)));
  }

  row(d) {
    const url = d.file && new URL(d.file, location.href);
    return h('tr', { 'data-id': d.id },
      this.shell.names.cell(d.device, d.channel),
      h('td', { class: 'wide', text: `${when(d.start)} – ${when(d.end)}` }),
      h('td', { class: `wide${d.state === 'failed' ? ' bad' : ''}`, text: [t(`dl_${d.state}`), d.state === 'done' ? '' : inLanguage(d, 'evidence')].filter(Boolean).join(' · ') }),
      h('td', {}, h('progress', { max: 100, value: d.percent, label: 'progress' }), ` ${Math.floor(d.percent)} %`),
      h('td', { text: bytes(d.bytes || d.received_bytes) }),
      h('td', { class: 'acts' }, url ? h('a', { class: 'button', href: url.pathname + url.search, t: 'toFile' }) : '', button('del', () => this.remove(d), { 'data-needs': 'operator' })));
  }

  async remove(d) {
    if (d.file && !window.confirm(t('reallyDelete'))) return;
    const r = await call('DELETE', `/downloads/${d.id}`);
    this.said.textContent = trouble(r);
    this.load();
  }

  language() {
    if (this.shown) this.load();
  }
}
