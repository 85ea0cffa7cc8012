// The doctor: the chain from the camera to its picture, link by link, and what to try.
import { currentLanguage, t } from './i18n.js';

const Source = window.ManagedMediaSource || window.MediaSource;
const codecs = { h264: 'video/mp4; codecs="avc1.640028"', h265: 'video/mp4; codecs="hvc1.1.6.L120.90"' };
const can = () => Object.keys(codecs).filter((c) => Source?.isTypeSupported(codecs[c])).join(',');

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

export class Doctor {
  // call, path() of the channel, stream() as chosen, and how remedies are carried out: transport(name), sub(), again()
  constructor(list, { call, path, stream, transport, sub, again }) {
    Object.assign(this, { list, call, path, stream, transport, sub, again });
    this.report = null;
    this.asked = 0;
  }

  clear() {
    this.asked++;
    this.report = null;
    this.list.replaceChildren();
  }

  // What is known; ask: after asking for the picture.
  async look(ask = false) {
    const mine = ++this.asked;
    const query = `?stream=${this.stream()}&can=${can()}`;
    this.list.replaceChildren(element('li', '', t('examining')));
    const r = await this.call(ask ? 'POST' : 'GET', `${this.path()}/doctor${query}`, ask ? {} : undefined);
    if (mine !== this.asked) return;
    this.report = r.ok ? r.data : null;
    this.show();
  }

  show() {
    if (!this.report) {
      this.list.replaceChildren();
      return;
    }
    this.list.replaceChildren(...this.report.links.map((l) => this.link(l)));
  }

  link(l) {
    const zh = currentLanguage() === 'zh';
    const li = element('li', l.state);
    const name = element('b', '', zh ? l.text_zh : l.text);
    name.setAttribute('aria-label', `${name.textContent}: ${t(l.state)}`);
    li.append(name);
    if (l.evidence) li.append(element('span', 'evidence', l.evidence));
    if (l.state !== 'red') return li;
    const hint = zh ? l.hint_zh || l.hint : l.hint;
    if (hint) li.append(element('p', 'hint', hint));
    const row = element('div', 'tools');
    for (const r of l.remedies ?? []) {
      const b = element('button', '', zh ? r.title_zh : r.title);
      b.type = 'button';
      b.addEventListener('click', () => this.apply(r));
      row.append(b);
    }
    li.append(row);
    return li;
  }

  async apply(remedy) {
    if (remedy.name === 'again') this.again();
    else if (remedy.name === 'sub') this.sub();
    else if (remedy.path.endsWith('/doctor')) this.transport(remedy.name);
    else if (remedy.name !== 'reboot' || window.confirm(t('reallyReboot'))) {
      await this.call(remedy.method, remedy.path.replace('/api/v1', ''), remedy.body);
      this.look();
    }
  }
}
