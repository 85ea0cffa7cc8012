// The doctor: the chain from the camera to its picture, link by link, and what to try.
import { call, h, inLanguage, trouble } from './core.js';
import { t } from './i18n.js';

const Source = window.ManagedMediaSource || window.MediaSource;
const codecs = { h264: 'video/mp4; codecs="avc1.640028"', h265: 'video/mp4; codecs="hvc1.1.6.L120.90"' };
const can = () => Object.keys(codecs).filter((c) => Source?.isTypeSupported(codecs[c])).join(',');

export class Doctor {
  // path() of the channel, stream() as chosen, and how remedies are carried out: transport(name), sub(), again()
  constructor(list, { path, stream, transport, sub, again }) {
    Object.assign(this, { list, path, stream, transport, sub, again });
    this.report = null;
    this.asked = 0;
  }

  clear() {
    this.asked++;
    this.report = null;
    this.list.replaceChildren();
  }

  say(text) {
    this.list.replaceChildren(h('li', { text }));
  }

  // What is known; ask: after asking for the picture.
  async look(ask = false) {
    const mine = ++this.asked;
    this.say(t('examining'));
    const r = await call(ask ? 'POST' : 'GET', `${this.path()}/doctor?stream=${this.stream()}&can=${can()}`, ask ? {} : undefined);
    if (mine !== this.asked) return;
    this.report = r.ok ? r.data : null;
    if (r.ok) this.show();
    else this.say(trouble(r));
  }

  show() {
    this.list.replaceChildren(...(this.report?.links ?? []).map((l) => this.link(l)));
  }

  link(l) {
    const name = inLanguage(l, 'text');
    const li = h('li', { class: l.state }, h('b', { text: name }), h('span', { class: 'unseen', text: `: ${t(l.state)}` }),
      l.evidence ? h('span', { class: 'evidence', text: inLanguage(l, 'evidence') }) : '');
    if (l.state !== 'red') return li;
    const hint = inLanguage(l, 'hint');
    li.append(hint ? h('p', { class: 'hint', text: hint }) : '',
      h('div', { class: 'tools', 'data-needs': 'operator' }, (l.remedies ?? []).map((r) => h('button', { type: 'button', text: inLanguage(r, 'title'), onclick: () => this.apply(r) }))));
    return li;
  }

  async apply(remedy) {
    if (remedy.name === 'again') this.again();
    else if (remedy.name === 'sub') this.sub();
    else if (remedy.path.endsWith('/doctor')) this.transport(remedy.name);
    else if (remedy.name !== 'reboot' || window.confirm(t('reallyReboot'))) await this.order(remedy);
  }

  async order(remedy) {
    const r = await call(remedy.method, remedy.path.replace('/api/v1', ''), remedy.body);
    if (r.ok) this.look();
    else this.list.append(h('li', { class: 'red', text: trouble(r) }));
  }
}
