// Texts of the page in both languages; t(key) gives the chosen one.
import { recall, remember } from './kept.js';

const texts = {
  en: {
    view_home: 'Overview', view_live: 'Live', view_wall: 'Multi-view', view_alarms: 'Alarms', view_records: 'Recordings', view_downloads: 'Downloads', view_settings: 'Settings', view_trace: 'Trace', view_map: 'Map', view_outputs: 'Outputs', view_access: 'Access', view_audit: 'Audit', view_log: 'Log', view_server: 'Server', since: 'Since', nameOfIt: 'Name', isOffWord: 'off', viewer: 'viewer', operator: 'operator', admin: 'admin', change: 'Change', method: 'Method', nothing: 'nothing',
    from: 'From', until: 'Until', where: 'Where', fileSize: 'Size', toFile: 'File', del: 'Delete', reallyDelete: 'Delete this for good?', recorderState: 'State',
    more: 'More', save: 'Save', saved: 'Saved.', readAgain: 'Read it again', anyKind: 'all', time: 'Time', priority: 'Priority', description: 'Description', toPicture: 'Look', views: 'Views', skipToView: 'To the view', devicesButton: 'Devices', noServer: 'The server does not answer.', loading: 'Loading …',
    chooseChannel: 'Choose a channel.', nothingFound: 'Nothing found',
    login: 'Log in', logout: 'Log out', loginName: 'Name', loginPassword: 'Password', search: 'Search id or name',
    loginHint: 'The password of admin was printed on the console at the first start.',
    loginBad: 'Name or password is wrong.', notLoaded: 'This view could not be loaded: try again when the server answers.', loginWait: 'Too many attempts: wait a minute.',
    welcome: 'Connect a camera', welcomeText: 'Type this into the camera\'s GB28181 (platform access) page:',
    serverId: 'SIP server ID', domain: 'SIP domain', address: 'SIP server address', port: 'SIP server port',
    devicePassword: 'Password', deviceId: 'Device ID', deviceIdText: '20 digits that no other device has, e.g. 34020000001320000001',
    stream: 'Stream', main: 'main', sub: 'sub', transport: 'Transport', auto: 'automatic',
    toDevice: 'Settings and orders', soundOn: 'Sound on', soundOff: 'Sound off', full: 'Full screen', stop: 'Stop', retry: 'Try again',
    codec: 'Codec', size: 'Size', bitrate: 'Bit rate', delay: 'Delay', over: 'Over', addresses: 'Addresses for other players', noSound: 'no sound received',
    online: 'online', offline: 'offline', devices: 'devices', channels: 'channels',
    starting: 'Asking the device …', stillTrying: 'The server goes on trying …', waiting: 'Waiting for the picture …', reconnecting: 'Connection lost, trying again …',
    noMse: 'This browser cannot play video from a stream (Media Source Extensions are missing).',
    codecMissing: 'This browser cannot play this codec. Try the sub stream, or a browser with H.265.',
    failed: 'No picture', failedAt: 'It failed at: ', noDevices: 'No devices yet: the overview tells what to type into one.', never: 'never',
    move: 'Move', lens: 'Lens', movePad: 'Move the camera: arrow keys, + and -', speed: 'Speed', preset: 'Preset', presetCall: 'Go there', presetKeep: 'Keep as it is',
    talk: 'Speak', talkHold: 'Hold to speak', talkFile: 'Say a WAV file', talkBegins: 'Asking the device …', talkSpeaking: 'Speak now.',
    talkFailed: 'The device cannot be spoken to', talkForbidden: 'This page may not use the microphone: allow it in the browser.',
    talkNoMicrophone: 'There is no microphone.',
    talkNeedsHttps: 'The browser gives the microphone only to pages over HTTPS (or on localhost). Open this page over HTTPS, or say a WAV file.',
    recordings: 'Recordings', day: 'Day', pause: 'Pause', resume: 'Go on', pace: 'Pace', toLive: 'Live', getPiece: 'Download', oursToo: 'recorded by this server', timeline: 'Recordings of the day',
    asking: 'Asking the device …', nothingRecorded: 'Nothing is recorded there.', notAll: 'The device has not told everything.',
    recordingOver: 'The recording ends here.',
    doctor: 'Doctor', examine: 'Examine', examining: 'Examining …', green: 'good', red: 'broken', unknown: 'not known',
    reallyReboot: 'Restart this device?',
    ptz: { up: 'up', down: 'down', left: 'left', right: 'right', up_left: 'up left', up_right: 'up right', down_left: 'down left',
      down_right: 'down right', zoom_in: 'zoom in', zoom_out: 'zoom out', focus_near: 'focus nearer', focus_far: 'focus farther',
      iris_open: 'open the iris', iris_close: 'close the iris' },
    steps: { device: 'device', socket: 'port', invite: 'INVITE', answer: 'answer', connect: 'TCP', packet: 'RTP', program: 'PS',
      codec: 'codec', key: 'key frame', playing: 'picture', ended: 'ended' },
  },
  zh: {
    view_home: '概览', view_live: '实时', view_wall: '多画面', view_alarms: '报警', view_records: '录像', view_downloads: '下载', view_settings: '设置', view_trace: '信令', view_map: '地图', view_outputs: '转发', view_access: '权限', view_audit: '审计', view_log: '日志', view_server: '系统', since: '开始于', nameOfIt: '名称', isOffWord: '停用', viewer: '观看者', operator: '操作员', admin: '管理员', change: '修改', method: '方法', nothing: '无',
    from: '从', until: '至', where: '位置', fileSize: '大小', toFile: '文件', del: '删除', reallyDelete: '确定永久删除？', recorderState: '状态',
    more: '更多', save: '保存', saved: '已保存。', readAgain: '重新读取', anyKind: '全部', time: '时间', priority: '级别', description: '描述', toPicture: '查看', views: '视图', skipToView: '跳到内容', devicesButton: '设备', noServer: '服务器没有响应。', loading: '加载中 …',
    chooseChannel: '请选择一个通道。', nothingFound: '未找到',
    login: '登录', logout: '退出', loginName: '用户名', loginPassword: '密码', search: '搜索编号或名称',
    loginHint: '首次启动时 admin 的密码已打印在控制台。',
    loginBad: '用户名或密码不正确。', notLoaded: '此视图无法加载：请在服务器恢复后重试。', loginWait: '尝试次数过多，请稍等一分钟。',
    welcome: '接入摄像机', welcomeText: '在摄像机的 GB28181（平台接入）页面填写：',
    serverId: 'SIP 服务器编号', domain: 'SIP 域', address: 'SIP 服务器地址', port: 'SIP 服务器端口',
    devicePassword: '密码', deviceId: '设备编号', deviceIdText: '20 位数字，不可重复，例如 34020000001320000001',
    stream: '码流', main: '主码流', sub: '子码流', transport: '传输', auto: '自动',
    toDevice: '设置与指令', soundOn: '打开声音', soundOff: '关闭声音', full: '全屏', stop: '停止', retry: '重试',
    codec: '编码', size: '分辨率', bitrate: '码率', delay: '延迟', over: '传输方式', addresses: '其他播放器的地址', noSound: '未收到声音',
    online: '在线', offline: '离线', devices: '台设备', channels: '个通道',
    starting: '正在请求设备 …', stillTrying: '服务器仍在尝试 …', waiting: '等待画面 …', reconnecting: '连接中断，正在重试 …',
    noMse: '此浏览器不支持流媒体播放（缺少 Media Source Extensions）。',
    codecMissing: '此浏览器无法播放该编码。请尝试子码流，或使用支持 H.265 的浏览器。',
    failed: '没有画面', failedAt: '失败于：', noDevices: '暂无设备：请按“概览”中的说明接入。', never: '从未',
    move: '云台', lens: '镜头', movePad: '云台控制：方向键、+ 和 -', speed: '速度', preset: '预置位', presetCall: '调用', presetKeep: '保存当前位置',
    talk: '对讲', talkHold: '按住说话', talkFile: '播放 WAV 文件', talkBegins: '正在请求设备 …', talkSpeaking: '请讲话。',
    talkFailed: '无法向设备讲话', talkForbidden: '此页面未被允许使用麦克风：请在浏览器中允许。',
    talkNoMicrophone: '没有麦克风。',
    talkNeedsHttps: '浏览器只允许 HTTPS（或 localhost）页面使用麦克风。请通过 HTTPS 打开此页面，或播放 WAV 文件。',
    recordings: '录像', day: '日期', pause: '暂停', resume: '继续', pace: '倍速', toLive: '实时', getPiece: '下载', oursToo: '本服务器录像', timeline: '当天录像',
    asking: '正在请求设备 …', nothingRecorded: '该时段没有录像。', notAll: '设备未返回全部录像。',
    recordingOver: '录像播放结束。',
    doctor: '诊断', examine: '开始诊断', examining: '正在诊断 …', green: '正常', red: '故障', unknown: '未知',
    reallyReboot: '确定重启该设备？',
    ptz: { up: '上', down: '下', left: '左', right: '右', up_left: '左上', up_right: '右上', down_left: '左下', down_right: '右下',
      zoom_in: '放大', zoom_out: '缩小', focus_near: '近焦', focus_far: '远焦', iris_open: '光圈开', iris_close: '光圈关' },
    steps: { device: '设备', socket: '端口', invite: 'INVITE', answer: '应答', connect: 'TCP 连接', packet: 'RTP', program: 'PS',
      codec: '编码', key: '关键帧', playing: '画面', ended: '结束' },
  },
};

let language = recall('language') || (navigator.language.startsWith('zh') ? 'zh' : 'en');

// What a view says: its own texts, in both languages. A key that is another view's,
// with another text, is a mistake.
export const clashing = [];
export function addTexts(more) {
  for (const [tongue, own] of Object.entries(more)) clashing.push(...Object.keys(own).filter((k) => k in texts[tongue] && texts[tongue][k] !== own[k]));
  Object.assign(texts.en, more.en);
  Object.assign(texts.zh, more.zh);
}

// Keys that one of the languages lacks: none, or a text would be a key.
export const untranslated = () => [...Object.keys(texts.en).filter((k) => !(k in texts.zh)), ...Object.keys(texts.zh).filter((k) => !(k in texts.en))];

export const currentLanguage = () => language;
export const t = (key) => texts[language][key] ?? key;
export const stepName = (step) => texts[language].steps[step] ?? step;
// Of a picture that does not come; p: what the server has said.
export const failureText = (p) => `${t('failed')}${p.step ? `: ${t('failedAt')}${stepName(p.step)}` : ''}`;
export const stepOrder = Object.keys(texts.en.steps).filter((s) => s !== 'ended');

export function translate(root = document) {
  document.documentElement.lang = language;
  for (const e of root.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll('[data-t-label]')) e.setAttribute('aria-label', t(e.dataset.tLabel));
  for (const e of root.querySelectorAll('[data-t-placeholder]')) {
    e.placeholder = t(e.dataset.tPlaceholder);
    e.setAttribute('aria-label', e.placeholder);
  }
  document.getElementById('language').textContent = language === 'zh' ? 'English' : '中文';
}

// What was said before is said in the new language where it is a text of ours.
function saidAgain(from) {
  for (const e of document.querySelectorAll('[role=status]')) {
    const key = e.textContent && Object.keys(from).find((k) => from[k] === e.textContent);
    if (key) e.textContent = t(key);
  }
}

export function switchLanguage() {
  const from = texts[language];
  language = language === 'zh' ? 'en' : 'zh';
  saidAgain(from);
  remember('language', language);
  translate();
}
