// Names and codes of the standard's settings, for people.
import { currentLanguage } from './i18n.js';

const zh = {
  BasicParam: '基本参数', VideoParamOpt: '视频参数范围', VideoParamConfig: '视频参数', AudioParamOpt: '音频参数范围', AudioParamConfig: '音频参数',
  SVACEncodeConfig: 'SVAC 编码', SVACDecodeConfig: 'SVAC 解码', VideoParamAttribute: '视频参数属性', VideoRecordPlan: '录像计划', VideoAlarmRecord: '报警录像',
  PictureMask: '视频画面遮挡', FrameMirror: '画面翻转', AlarmReport: '报警上报开关', OSDConfig: '前端 OSD',
  Name: '设备名称', DeviceID: '设备编号', SIPServerID: 'SIP 服务器编号', SIPServerIP: 'SIP 服务器地址', SIPServerPort: 'SIP 服务器端口', DomainName: 'SIP 域',
  Expiration: '注册过期时间（秒）', Password: '密码', HeartBeatInterval: '心跳间隔（秒）', HeartBeatCount: '心跳超时次数', PositionCapability: '定位功能', Longitude: '经度', Latitude: '纬度',
  StreamName: '流名称', StreamNumber: '码流编号', VideoFormat: '视频编码格式', Resolution: '分辨率', FrameRate: '帧率', BitRateType: '码率类型', VideoBitRate: '视频码率（kbit/s）',
  AudioFormat: '音频编码格式', AudioBitRate: '音频码率', SamplingRate: '采样率', DownloadSpeed: '下载倍速',
  RecordEnable: '启用录像', RecordSchedule: '一天的计划', WeekDayNum: '星期', TimeSegment: '时间段', StartHour: '开始时', StartMin: '开始分', StartSec: '开始秒', StopHour: '结束时', StopMin: '结束分',
  StopSec: '结束秒', RecordTime: '录像延时（秒）', PreRecordTime: '预录时间（秒）', On: '开关', RegionList: '区域', Seq: '序号', Point: '坐标', MotionDetection: '移动侦测', FieldDetection: '区域入侵',
  Length: '配置窗口长度（像素）', Width: '配置窗口宽度（像素）', TimeX: '时间 X 坐标', TimeY: '时间 Y 坐标', TimeEnable: '显示时间', TimeType: '时间格式', TextEnable: '显示文字', Item: '项', Text: '文字',
  ROIParam: '感兴趣区域', ROIFlag: '感兴趣区域开关', ROISeq: '区域序号', TopLeft: '左上角', BottomRight: '右下角', ROIQP: '区域编码质量', BackGroundQP: '背景编码质量', BackGroundSkipFlag: '背景跳过',
  SVCParam: 'SVC 参数', SVCSpaceDomainMode: '空域编码方式', SVCTimeDomainMode: '时域编码方式', SVCSpaceSupportMode: '空域编码能力', SVCTimeSupportMode: '时域编码能力',
  HomePosition: '看守位', Enabled: '启用', ResetTime: '自动归位时间（秒）', PresetIndex: '预置位编号', PresetList: '预置位', PresetID: '编号', PresetName: '名称', Pan: '水平角度', Tilt: '垂直角度', Zoom: '变倍', HorizontalFieldAngle: '水平视场角', VerticalFieldAngle: '垂直视场角', MaxViewDistance: '最大可视距离',
  PTZPreciseCtrl: '云台精准控制', FormatSDCard: '存储卡编号', TargetTrack: '跟踪方式', DeviceID2: '目标设备编号', TargetArea: '目标区域', DragZoomIn: '拉框放大', DragZoomOut: '拉框缩小', MidPointX: '拉框中心 X', MidPointY: '拉框中心 Y', LengthX: '拉框长度', LengthY: '拉框宽度',
  RecordCmd: '录像', GuardCmd: '布防', AlarmCmd: '复位', IFrameCmd: '关键帧', Info: '附加信息', AlarmMethod: '报警方式', AlarmType: '报警类型', StartAlarmPriority: '起始报警级别', EndAlarmPriority: '终止报警级别', StartAlarmTime: '起始时间', EndAlarmTime: '结束时间', Interval: '上报间隔（秒）',
  CruiseTrackList: '巡航轨迹', CruisePointList: '巡航点', Number: '编号', StayTime: '停留时间（秒）', Speed: '速度', SDCardStatusInfo: '存储卡', ID: '编号', HddName: '名称', Status: '状态', FormatProgress: '格式化进度（%）', Capacity: '容量（MB）', FreeSpace: '剩余（MB）',
  Result: '结果', Manufacturer: '厂商', Model: '型号', Firmware: '固件', Channel: '通道数', Online: '在线', Encode: '编码', Record: '录像', DeviceTime: '设备时间', Reason: '原因', Alarmstatus: '报警状态', DutyStatus: '值守状态',
  EventFlag: '事件信息', AlertFlag: '报警信息', EncryptParam: '加密与认证参数', EncryptionFlag: '加密', AuthenticationFlag: '认证', SVCSTMMode: '码流模式', TimeShowFlag: '显示绝对时间', EventShowFlag: '显示事件', AlerShowtFlag: '显示报警', OSDShowFlag: '显示 OSD', AIShowFlag: '显示智能分析', GISShowFlag: '显示地理信息',
  SnapShotConfig: '抓拍', SnapNum: '张数', UploadURL: '上传地址', SessionID: '会话编号', Type: '类型', X: 'X 坐标', Y: 'Y 坐标', Height: '高度', SSVCRatioValue: '空域编码比例', SSVCRatioSupportList: '支持的空域编码比例', RecordLocation: '存储位置',
  VideoFormatOpt: '视频编码格式', ResolutionOpt: '分辨率', FrameRateOpt: '帧率', BitRateTypeOpt: '码率类型', VideoBitRateOpt: '视频码率', DownloadSpeedOpt: '下载倍速', AudioFormatOpt: '音频编码格式', AudioBitRateOpt: '音频码率', SamplingRateOpt: '采样率',
  SurveillanceParam: '监控专用信息', TimeFlag: '绝对时间信息', OSDFlag: 'OSD 信息', AIFlag: '智能分析信息', GISFlag: '地理信息', AudioParam: '音频参数', AudioRecognitionFlag: '声音识别特征',
};

// "HeartBeatInterval" is read as words where there is no other name.
export const nameOf = (key) => (currentLanguage() === 'zh' && zh[key]) || key.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');

const table = {
  VideoFormat: { en: [['1', 'MPEG-4'], ['2', 'H.264'], ['3', 'SVAC'], ['4', '3GP'], ['5', 'H.265']] },
  BitRateType: { en: [['1', 'constant'], ['2', 'variable']], zh: [['1', '固定码率'], ['2', '可变码率']] },
  FrameMirror: { en: [['0', 'off'], ['1', 'left to right'], ['2', 'upside down'], ['3', 'both']], zh: [['0', '不启用'], ['1', '水平翻转'], ['2', '上下翻转'], ['3', '中心翻转']] },
  RecordCmd: { en: [['Record', 'start'], ['StopRecord', 'stop']], zh: [['Record', '开始'], ['StopRecord', '停止']] },
  GuardCmd: { en: [['SetGuard', 'arm'], ['ResetGuard', 'disarm']], zh: [['SetGuard', '布防'], ['ResetGuard', '撤防']] },
  TargetTrack: { en: [['Auto', 'automatic'], ['Manual', 'by area'], ['Stop', 'stop']], zh: [['Auto', '自动'], ['Manual', '手动'], ['Stop', '停止']] },
  TimeType: { en: [['0', 'YYYY-MM-DD HH:MM:SS'], ['1', 'YYYY年MM月DD日 HH:MM:SS']] },
  WeekDayNum: { en: [['1', 'Mon'], ['2', 'Tue'], ['3', 'Wed'], ['4', 'Thu'], ['5', 'Fri'], ['6', 'Sat'], ['7', 'Sun']],
    zh: [['1', '周一'], ['2', '周二'], ['3', '周三'], ['4', '周四'], ['5', '周五'], ['6', '周六'], ['7', '周日']] },
};

export const codes = (name, language) => table[name]?.[language] ?? table[name]?.en;
