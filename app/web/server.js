// The daemon's own configuration: what is in force, where it comes from, and a form
// for what may be changed while it runs.
import { button, call, field, h, inLanguage, readAgain, status, trouble } from './core.js';
import { addTexts, currentLanguage, t } from './i18n.js';

addTexts({
  en: { onlyChangeable: 'Only what can be changed', from_default: 'default', from_kept: 'set here', from_file: 'configuration file', from_environment: 'environment', from_flag: 'command line', defaultIs: 'Default:', toDefault: 'Default', notTold: 'not shown', textFilter: 'Containing',
    needsRestart: 'Needs a restart: set it in the configuration file.', setAbove: 'It wins over what is set here.', serverHint: 'What is set here is kept in the data directory and in force at once. The configuration file, the environment and the command line win over it.', nothingChanged: 'Nothing was changed.', emptyValue: 'empty', seeOutputs: 'Webhooks are made in Outputs.' },
  zh: { onlyChangeable: '仅显示可修改项', from_default: '默认', from_kept: '在此设置', from_file: '配置文件', from_environment: '环境变量', from_flag: '命令行', defaultIs: '默认值：', toDefault: '恢复默认', notTold: '不显示', textFilter: '包含',
    needsRestart: '需要重启：请在配置文件中修改。', setAbove: '优先于此处的设置。', serverHint: '此处的设置保存在数据目录中并立即生效；配置文件、环境变量和命令行的设置优先。', nothingChanged: '没有修改任何设置。', emptyValue: '空', seeOutputs: 'Webhook 请在“转发”中设置。' },
});

// The daemon helps in English; what can be changed is said in Chinese, too.
const ZH = {
  'server.id': '本平台的 20 位 SIP 编号', 'server.realm': 'SIP 域；空为 server.id 的前十位', 'server.data': '状态与密钥的目录；空为 ./gb28181d-data，读取 /etc/gb28181d/gb28181d.yml 时为 /var/lib/gb28181d', 'server.user': '由 root 启动后切换到的用户；空为不切换',
  'server.seccomp': '禁止程序从不使用的系统调用', 'sip.listen': 'UDP 与 TCP 上的 SIP', 'sip.tls_listen': 'TLS 上的 SIP，通常为 5061 端口；空为不启用', 'sip.password': '设备密码；空为首次启动时生成，保存在 DATA/device-password',
  'sip.keep_open_s': '静默多少秒后保持到设备的 NAT 通道；0 为不保持', 'sip.udp_max_bytes': '超过此字节数的请求改经 TCP 发送；0 为始终 UDP', 'webhooks.to': '接收事件的地址，各带签名密钥与事件类别；也可在接口中添加', 'webhooks.ca': '校验 https 接收方的证书文件（PEM）',
  'push.ca': '校验 rtsps、rtmps 推流服务器的证书文件（PEM）', 'exec.run': '事件发生时运行的程序及参数；事件以 JSON 从标准输入传入', 'mqtt.server': 'MQTT 服务器，HOST 或 HOST:PORT；空为不启用；需要 MQTT=1 编译', 'mqtt.tls': '经 TLS 连接，默认 8883 端口',
  'mqtt.ca': '校验 MQTT 服务器的证书文件（PEM）', 'mqtt.user': 'MQTT 用户名；空为不发送', 'mqtt.password': 'MQTT 密码', 'mqtt.prefix': '所有主题的前缀', 'mqtt.events': '发布的事件类别', 'mqtt.discovery': 'Home Assistant 自动发现的主题；空为不发布',
  'http.listen': '页面、接口与媒体的 HTTP 地址', 'http.auth': '要求凭据；false 为完全开放', 'http.wvp_login': '响应 WVP 前端的登录（发送密码的 MD5），仅限此后设置的密码', 'http.public_url': '用户访问本服务器的地址，用于生成链接', 'http.trusted_proxies': '信任其 X-Forwarded 头的网段',
  'rtsp.listen': 'RTSP 服务地址，同一端口也提供 rtsps；空为不启用', 'tls.cert': 'HTTPS 与 SIP TLS 的证书文件（PEM）；空为 DATA/tls.crt，首次连接时生成', 'tls.key': '其私钥文件（PEM）；空为 DATA/tls.key', 'media.ports': 'RTP 与 RTCP 端口，每路会话一对',
  'media.shared_port': '所有会话共用的端口，其下一个为 RTCP；须为偶数，且在 media.ports 之外', 'media.mode': '会话端口：独立、共用，或自动', 'media.any_source': '接受任意来源的媒体', 'media.threads': '媒体线程数；0 为每核一个', 'log.format': 'key=value 行，或每行一个 JSON',
  'download.dir': '下载录像的目录；空为 DATA/downloads', 'record.dir': '本服务器录像的目录，每块磁盘一个，以逗号分隔；空为 DATA/recordings', 'snapshot.max_mib': '摄像机上传图片的总空间（MiB），超出时删除最旧的；0 为不接收', 'snapshot.ffmpeg': 'ffmpeg 的路径，用于将关键帧转为 JPEG；空为不提供',
  'map.tiles': '地图瓦片目录（Web 墨卡托，256 像素，Z/X/Y.png）；空为仅显示经纬网', 'map.zoom': '瓦片的最大级别', 'firmware.max_mib': '固件文件的最大大小（MiB）；0 为不接收', 'limits.devices': '设备总数上限', 'limits.channels': '通道总数上限',
  'limits.device_channels': '每台设备的通道上限', 'limits.sessions': '同时进行的会话上限', 'limits.sip_connections': 'SIP TCP 与 TLS 连接上限', 'limits.sip_strangers_mib': '未注册的 SIP 连接可占用的内存（MiB）', 'limits.http_connections': 'HTTP 连接与观看者上限',
  'limits.unauthenticated_total_per_s': '每秒未认证 SIP 请求总数上限', 'limits.registers_per_s': '每秒新注册上限，超出的设备稍后再试', 'limits.ban_failures': '同一来源密码错误多少次后封禁', 'limits.ban_s': '首次封禁秒数，之后每次加倍，最多 64 倍', 'limits.pending': '记住的未知编号数量',
  'trace.memory_mib': '保存最近 SIP 消息的内存（MiB）；0 为不保存', upstreams: '上级平台（此版本未使用）',
  'server.timezone': '与设备通信所用时间的时区', 'sip.auto_enrol': '自动接纳能证明密码的未知设备', 'sip.date': '注册应答中的 Date 头（校时）', 'sip.digest': '提供给设备的摘要算法；许多设备只支持 md5', 'sip.qop': '质询中提供 qop=auth',
  'sip.allow': '只接受这些网段的 SIP 消息；空为全部', 'sip.deny': '丢弃这些网段的 SIP 消息', 'sip.allow_ids': '允许注册的编号前缀；空为全部', 'sip.deny_ids': '禁止注册的编号前缀', 'sip.redirect': '首次注册时转到其他服务器：前缀 编号@地址:端口', 'sip.correct_clocks': '查询录像前核对设备时钟并修正时间',
  'subscribe.catalog': '订阅目录：true（600 秒）、false 或秒数', 'subscribe.alarm': '订阅报警：true（3600 秒）、false 或秒数', 'subscribe.position': '订阅移动位置：true（3600 秒）、false 或秒数', 'subscribe.ptz': '订阅云台位置（2022）：true、false 或秒数',
  'alarm.reset': '探测器报警（方式 2）后自动发送复位', 'ptz.hold_s': '无人续发或停止时云台继续转动的秒数', 'webhooks.deny': '不向这些网段发送 Webhook', 'network.advertise': '向不同网段的设备告知的本机地址：网段 地址', 'media.address': 'SDP 中的地址；空为自动选择', 'media.idle_stop_s': '最后一个观看者离开后停止点播的秒数', 'log.level': '写入日志的最低级别',
  'download.max_gib': '录像下载的总空间（GiB）；0 为不允许下载', 'record.segment_s': '每个录像文件的秒数', 'record.days': '录像保留天数；0 为不限', 'record.max_gib': '录像总空间（GiB）；0 为直到磁盘写满', 'record.keep_mib': '每个磁盘保留的空闲空间（MiB）', 'record.channel_gib': '每个通道的录像空间（GiB）；0 为不限', 'record.fsync': '录像何时强制写盘',
  'history.alarms': '保留的报警条数', 'history.alarms_days': '报警保留天数；0 为不限', 'history.positions': '保留的位置条数', 'history.positions_days': '位置保留天数', 'history.commands': '保留的命令条数', 'history.commands_days': '命令保留天数', 'history.audit': '保留的审计条数', 'history.audit_days': '审计保留天数', 'limits.unauthenticated_per_s': '每个来源每秒未鉴权 SIP 请求数',
};
const SECTIONS_ZH = { server: '服务器', sip: 'SIP', subscribe: '订阅', alarm: '报警', ptz: '云台', webhooks: 'Webhook', exec: '外部程序', mqtt: 'MQTT', http: 'HTTP', rtsp: 'RTSP', tls: 'TLS', network: '网络', media: '媒体', log: '日志', download: '下载', record: '录像', snapshot: '抓拍', firmware: '固件', history: '历史', limits: '限制', trace: '信令跟踪', upstreams: '上级平台' };

export default class Server {
  constructor(root) {
    this.items = [];
    this.only = h('input', { type: 'checkbox', checked: true, onchange: () => this.draw() });
    this.text = h('input', { type: 'search', size: 20, oninput: () => this.draw() });
    this.said = status();
    this.again = readAgain(() => this.load());
    this.body = h('div', { class: 'stack' });
    this.form = h('form', { class: 'stack', novalidate: true, onsubmit: (e) => { e.preventDefault(); this.save(); } },
      this.body, h('div', { class: 'tools sticky' }, h('button', { type: 'submit', t: 'save' }), this.said, this.again));
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_server' })), h('p', { class: 'hint', t: 'serverHint' }),
      h('div', { class: 'tools' }, field('textFilter', this.text), field('onlyChangeable', this.only)), this.form);
  }

  show() {
    this.load();
  }

  hide() {}

  async load() {
    const r = await call('GET', '/settings');
    this.said.textContent = trouble(r);
    this.take(r);
  }

  take(r) {
    if (r.ok) Object.assign(this, { items: r.data.items, tag: r.tag });
    this.again.hidden = true;
    this.draw();
  }

  help(s) {
    return (currentLanguage() === 'zh' && ZH[s.key]) || s.help;
  }

  draw() {
    const q = this.text.value.trim().toLowerCase();
    const fits = (s) => (s.changes || !this.only.checked) && `${s.key} ${this.help(s)} ${s.value ?? ''}`.toLowerCase().includes(q);
    const sections = new Map();
    for (const s of this.items.filter(fits)) {
      const name = s.key.split('.')[0];
      sections.set(name, [...(sections.get(name) ?? []), s]);
    }
    this.inputs = new Map();
    this.body.replaceChildren(...[...sections].map(([name, all]) => h('fieldset', { class: 'keys' }, h('legend', { text: (currentLanguage() === 'zh' && SECTIONS_ZH[name]) || name }), all.map((s) => this.row(s)))));
    this.form.lastChild.hidden = !this.inputs.size;
  }

  row(s) {
    const id = `set-${s.key}`;
    const input = s.changes ? this.input(s, id) : h('output', { id, text: s.secret ? t('notTold') : s.value || t('emptyValue') });
    const wrong = h('p', { class: 'error', id: `${id}-wrong`, role: 'alert' });
    const why = s.changes ? '' : s.secret ? (s.key === 'webhooks.to' ? t('seeOutputs') : '') : !s.reloads ? t('needsRestart') : t('setAbove');
    const reset = s.changes && s.from === 'kept' ? button('toDefault', () => this.send({ [s.key]: null })) : '';
    if (s.changes) this.inputs.set(s.key, { s, input, wrong });
    return h('div', { class: 'key', 'data-key': s.key }, h('label', { for: id }, h('code', { text: s.key })), h('div', { class: 'value' }, input, reset, h('span', { class: 'hint', text: t(`from_${s.from}`) })),
      h('p', { class: 'hint', id: `${id}-help`, text: [this.help(s), s.type === 'choices' ? s.choices.join(', ') : s.max && s.type !== 'text' ? `${s.min} – ${s.max}` : '', why, s.from === 'default' || s.secret ? '' : `${t('defaultIs')} ${s.default || t('emptyValue')}`].filter(Boolean).join(' · ') }), wrong);
  }

  input(s, id) {
    const attrs = { id, 'aria-describedby': `${id}-help ${id}-wrong` };
    const options = s.type === 'bool' ? ['true', 'false'] : s.type === 'choice' ? s.choices : null;
    if (options) return h('select', { ...attrs, value: s.value }, options.map((v) => h('option', { value: v, text: v, selected: v === s.value })));
    if (s.type === 'number') return h('input', { ...attrs, type: 'number', min: s.min, max: s.max, value: s.value });
    return h('input', { ...attrs, type: 'text', size: 30, value: s.value, spellcheck: 'false', placeholder: s.choices.join(', ') });
  }

  save() {
    const changed = [...this.inputs].filter(([, { s, input }]) => input.value.trim() !== s.value).map(([key, { input }]) => [key, input.value.trim()]);
    if (changed.length) this.send(Object.fromEntries(changed));
    else this.said.textContent = t('nothingChanged');
  }

  async send(values) {
    for (const { wrong, input } of this.inputs.values()) { wrong.textContent = ''; input.removeAttribute('aria-invalid'); }
    const r = await call('PATCH', '/settings', values, this.tag);
    if (r.ok) {
      this.take(r);
      this.said.textContent = t('saved');
      return;
    }
    this.said.textContent = trouble(r);
    this.again.hidden = r.status !== 412;
    for (const e of r.data?.errors ?? []) {
      const at = this.inputs.get(e.key);
      if (!at) continue;
      at.wrong.textContent = inLanguage(e, 'detail');
      at.input.setAttribute('aria-invalid', 'true');
    }
    this.form.querySelector('[aria-invalid]')?.focus();
  }

  language() {
    this.draw();
  }
}
