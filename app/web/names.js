// Channels by their names, where an id would tell nobody which camera it is: as the
// tree has them where it is open, else asked for, until it is answered.
import { call, channelPath, h, listen } from './core.js';

const ANSWERS = [200, 403, 404]; // others may be others the next time

export class Names {
  constructor(tree) {
    this.tree = tree;
    this.asked = new Map(); // "device/channel": its name to come, '' where it has none
    listen('channel', (e) => this.asked.delete(`${e?.device}/${e?.id}`));
  }

  of(device, channel) {
    const known = this.tree.find(device, channel);
    const key = `${device}/${channel}`;
    if (known) return Promise.resolve(known.name);
    if (!this.asked.has(key)) {
      this.asked.set(key, call('GET', channelPath(device, channel)).then((r) => {
        if (!ANSWERS.includes(r.status)) this.asked.delete(key);
        return (r.ok && r.data.name) || '';
      }));
    }
    return this.asked.get(key);
  }

  // Into an element: the id, until the name has come.
  async put(e, device, channel) {
    const isDevice = !channel || channel === device;
    const known = isDevice ? this.tree.device(device) : this.tree.find(device, channel);
    e.textContent = known?.name || channel || device;
    if (known || isDevice) return;
    const name = await this.of(device, channel);
    if (name && e.textContent === channel) e.textContent = name; // it is still about this one
  }

  // Of a table: the name, and the id below it.
  cell(device, channel) {
    const name = h('b');
    this.put(name, device, channel);
    return h('td', {}, name, h('span', { class: 'id', text: channel || device }));
  }
}
