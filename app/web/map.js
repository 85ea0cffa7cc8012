// Where things are: fixed cameras by their catalog, moving ones by what they
// report. Drawn here, from a net of degrees: nothing is asked of anybody else.
import { button, call, devicePath, h, listen, listing, query, soon, status, trouble, when } from './core.js';
import { addTexts, t } from './i18n.js';
import { Chart } from './chart.js';

addTexts({
  en: { mapOf: 'Map of positions: drag, arrow keys, + and -', fit: 'All in sight', zoomIn: 'Closer', zoomOut: 'Farther', longitude: 'Longitude', latitude: 'Latitude', speedKmh: 'Speed (km/h)', direction: 'Direction (°)',
    noPositions: 'No position is known: catalogs name none, and no device has reported one.', track: 'Track', fixedPlace: 'by its catalog' },
  zh: { mapOf: '位置地图：拖动、方向键、+ 和 -', fit: '全部显示', zoomIn: '放大', zoomOut: '缩小', longitude: '经度', latitude: '纬度', speedKmh: '速度（km/h）', direction: '方向（°）',
    noPositions: '没有已知位置：目录中未提供，设备也未上报。', track: '轨迹', fixedPlace: '来自目录' },
});

const REPORTS = 1000; // newest reports looked at
const DEVICES = 200; // whose catalogs are looked at
const PAGE = 1000; // channels asked for at once
const PLACES_MAX = 5000;
const ROWS_MAX = 200;
const TRACK_MAX = 500;

const keyOf = (p) => `${p.device}/${p.channel}`;
// (0, 0) lies in the sea: it is what devices without a receiver send
const isPlace = (p) => Number.isFinite(p.longitude) && Number.isFinite(p.latitude) && Math.abs(p.longitude) <= 180 && Math.abs(p.latitude) <= 90 && (p.longitude !== 0 || p.latitude !== 0);

export default class MapView {
  constructor(root, shell) {
    this.shell = shell;
    this.places = new Map();
    this.said = status();
    this.chart = new Chart({ pick: (p) => this.choose(p) });
    this.table = listing(['where', 'longitude', 'latitude', 'speedKmh', 'direction', 'time', '']);
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_map' }), button('zoomIn', () => this.chart.zoom(2)), button('zoomOut', () => this.chart.zoom(0.5)), button('fit', () => this.chart.fit())),
      this.said, this.chart.root, this.table.root);
    this.later = soon(() => this.shown && this.draw(), 500);
    listen('position', (p) => this.came(p));
  }

  async show() {
    this.shown = true;
    const mine = this.asked = {};
    const map = await call('GET', '/map');
    if (map.data?.tiles) this.chart.zoomMax = map.data.zoom;
    await this.loadReports();
    if (mine !== this.asked) return;
    this.draw();
    this.chart.fit();
    await this.loadCatalogs(mine);
    if (mine !== this.asked) return;
    this.draw();
    this.chart.fit();
  }

  hide() {
    this.shown = false;
    this.asked = null;
  }

  async loadReports() {
    const r = await call('GET', `/positions?${query({ limit: REPORTS })}`);
    this.said.textContent = trouble(r);
    for (const p of (r.ok ? r.data.items : []).reverse()) this.put(p); // the newest last
  }

  // A place that was reported counts more than that of the catalog.
  async loadCatalogs(mine) {
    const devices = await call('GET', `/devices?${query({ limit: DEVICES })}`);
    for (const d of devices.ok ? devices.data.items : []) {
      if (this.places.size >= PLACES_MAX) return;
      const r = await call('GET', `${devicePath(d.id)}/channels?${query({ limit: PAGE })}`);
      if (mine !== this.asked) return;
      for (const c of r.ok ? r.data.items : []) {
        const p = { device: d.id, channel: c.id, name: c.name, longitude: c.longitude, latitude: c.latitude, fixed: true };
        const known = this.places.get(keyOf(p));
        if (known) known.name = c.name;
        else this.put(p);
      }
    }
  }

  put(p) {
    if (!isPlace(p)) return;
    const was = this.places.get(keyOf(p));
    this.places.set(keyOf(p), { name: was?.name, ...p });
  }

  came(p) {
    if (!p || !this.shown) return;
    this.put(p);
    if (this.chosen && keyOf(this.chosen) === keyOf(p)) this.chart.track.push(p);
    this.later();
  }

  nameOf(p) {
    const { tree } = this.shell;
    return p.name || (p.channel === p.device ? tree.device(p.device) : tree.find(p.device, p.channel))?.name || p.channel || p.device;
  }

  draw() {
    const all = [...this.places.values()].map((p) => ({ ...p, name: this.nameOf(p), chosen: this.chosen && keyOf(p) === keyOf(this.chosen) }));
    if (!all.length && !this.said.textContent) this.said.textContent = t('noPositions');
    else if (all.length && this.said.textContent === t('noPositions')) this.said.textContent = '';
    this.chart.show(all);
    this.table.draw(all.slice(0, ROWS_MAX).map((p) => this.row(p)));
  }

  row(p) {
    const number = (v, digits) => h('td', { text: Number.isFinite(v) ? v.toFixed(digits) : '' });
    return h('tr', { class: p.chosen ? 'chosen' : '' }, h('td', {}, h('b', { text: p.name }), p.name === p.channel ? '' : h('span', { class: 'id', text: p.channel })), number(p.longitude, 5), number(p.latitude, 5), number(p.speed, 0), number(p.direction, 0),
      h('td', { text: p.fixed ? t('fixedPlace') : when(p.received_at) }),
      h('td', { class: 'acts' }, p.fixed ? '' : button('track', () => this.choose(p)), button('toPicture', () => this.look(p))));
  }

  // Its last way, too
  async choose(p) {
    this.chosen = p;
    this.chart.track = [];
    this.draw();
    if (p.fixed) return;
    const r = await call('GET', `/positions?${query({ device: p.device, channel: p.channel, limit: TRACK_MAX })}`);
    if (this.chosen !== p) return;
    this.said.textContent = trouble(r);
    this.chart.track = (r.ok ? r.data.items : []).filter(isPlace).reverse();
    this.draw();
  }

  // A device that reports for itself is looked at by its first channel.
  async look(p) {
    const r = p.channel === p.device ? await call('GET', `${devicePath(p.device)}/channels?limit=1`) : null;
    this.shell.go('live', p.device, r?.data?.items?.[0]?.id ?? p.channel);
  }

  language() {
    if (this.shown) this.draw();
  }
}
