#include "app/platform/chinese.h"

#define GOT_MAX 8  /* '%' of a row */
#define DEPTH_MAX 4 /* texts inside texts */

struct row {
    const char *english, *chinese;
};

/* The first that fits counts: what is longer stands before what it begins with.
 * tools/chinese.py looks that every sentence of app/platform is here. */
/* clang-format off */
static const struct row rows[] = {
    /* doctor */
    { "it tried % times, the last % s ago, and was refused: %",
      "它注册了 %1 次，最近一次在 %2 秒前，被拒绝：%3" },
    { "no REGISTER of this id has come", "尚未收到该编号的 REGISTER" },
    { "%; it tried again % s ago and was refused: %",
      "%1；%2 秒前再次注册，被拒绝：%3" },
    { "it has not registered yet", "尚未注册" },
    { "not registered", "未注册" },
    { "never registered", "从未注册" },
    { "not heard of since the restart", "重启后尚无消息" },
    { "the last Keepalive came % s ago", "最近一次心跳在 %1 秒前" },
    { "no Keepalive has come yet", "尚未收到心跳" },
    { "no sign of life", "没有任何消息" },
    { "it tells another time than ours in its REGISTERs, though it was "
      "told the time",
      "已向设备校时，但其 REGISTER 中的时间仍与本平台不一致" },
    { "% s ago, from % over %; refused since then: %",
      "%1 秒前，来自 %2，经 %3；此后再次注册被拒绝：%4" },
    { "% s ago, from % over %", "%1 秒前，来自 %2，经 %3" },
    { "nothing it said is a minute off", "设备报文中的时间误差不超过一分钟" },
    { "it has not answered yet", "尚未应答" },
    { "it is coming", "正在接收" },
    { "it is complete", "已完整" },
    { "parts of it are missing", "缺少一部分" },
    { "one of % channels; %", "共 %1 个通道之一；目录%2" },
    { "its Keepalive names the channel as faulty", "心跳中报告该通道故障" },
    { "its catalog says that the channel is off", "目录中该通道为离线" },
    { "not among its % channels; the catalog: %",
      "不在其 %1 个通道之中；目录%2" },
    { "the catalog: %", "目录%1" },
    { "% after % ms; media over % to our port %, SSRC %",
      "%2 毫秒后应答 %1；媒体经 %3 发往本机端口 %4，SSRC %5" },
    { "none is needed over UDP", "UDP 方式不需要连接" },
    { "we connected to it", "由平台连接设备" },
    { "it connected to us", "由设备连接平台" },
    { "% from %, % lost", "收到 %1 个包，来自 %2，丢失 %3 个" },
    { "they have another one than %, and are taken all the same",
      "媒体包的 SSRC 与协商的 %1 不同，仍予接收" },
    { "%, sound %", "%1，声音 %2" },
    { "% x %, % ms after the request", "%1 x %2，请求后 %3 毫秒" },
    { "no player shows %", "没有播放器支持 %1" },
    { "this one does not show %", "当前播放端不支持 %1" },
    { "% is among what it shows", "播放端支持 %1" },
    { "%: it has not said what it shows", "%1：播放端未说明支持哪些编码" },
    { "it plays", "正在播放" },
    { "until it was stopped by us, % packets", "直到由本平台停止，共 %1 个包" },
    { "nobody has asked for this picture yet", "尚无人请求过该画面" },
    { "is it powered and connected? Set its keepalive interval to 60 s; "
      "behind a NAT, let it register over TCP",
      "检查设备供电与网络；心跳间隔设为 60 秒，经过 NAT 时改用 TCP 注册" },
    { "set its time zone, and let it take the time from the platform or "
      "by NTP; recordings are found at the wrong time else",
      "请设置设备时区，并启用平台校时或 NTP，否则录像时间会错位" },
    { "look whether the camera behind the recorder is connected, and "
      "which channels the device passes on to the platform",
      "检查录像机下的摄像机是否在线，以及设备向平台推送了哪些通道" },
    { "firmware that does not heed y=: harmless with a port of its own",
      "设备固件未使用 y= 中的 SSRC；使用独立端口时不影响观看" },
    { "set the video of the camera, or of its sub stream, to H.264, or "
      "use a browser that has this codec",
      "请将主码流或子码流设为 H.264，或使用支持该编码的浏览器" },
    { "compare server id, domain, address, port and password in the "
      "camera with /api/v1/setup-hints",
      "请核对摄像机中的服务器编号、域、地址、端口和密码" },
    { "see the log of the platform", "请查看平台日志" },
    { "is the channel's own picture there? Look for the device's limit "
      "of streams",
      "请确认该通道本身有画面，并检查设备的取流路数上限" },
    { "a firewall or NAT may keep media away: check media.address and "
      "network.advertise, or use another transport",
      "防火墙或 NAT 可能拦截了媒体：请检查 media.address "
      "与 network.advertise，或改用其他传输方式" },
    /* why a device is offline, why it is not let in */
    { "registration expired", "注册已过期" },
    { "keepalive lost", "心跳丢失" },
    { "says that it is going offline", "设备通知即将离线" },
    { "kept out by the configuration", "被配置拒绝" },
    { "connection lost", "连接中断" },
    { "unregistered", "已注销" },
    { "was asked for its password and has not answered yet",
      "已向它索要密码，尚未应答" },
    { "was challenged again and again and never answers: our answers do "
      "not seem to reach it, try SIP over TCP",
      "多次质询均无应答：平台的应答可能未到达设备，请改用 TCP 注册" },
    { "the password is right, but the digest user name is not the device "
      "id: set the SIP user name of the device to its id",
      "密码正确，但摘要用户名不是设备编号：请将设备的 SIP 用户名设为其编号" },
    { "the digest was made with the device id, but another user name was "
      "sent",
      "摘要按设备编号计算，但发送了另一个用户名" },
    { "the password is right, but the digest was made with the "
      "Request-URI and another uri was sent",
      "密码正确，但摘要按 Request-URI 计算，而发送了另一个 uri" },
    { "the device has the platform's password, but one of its own or of "
      "its group is set for it here",
      "设备使用的是平台密码，但平台上为它或其分组设置了单独的密码" },
    { "the password set in the device is not the one of this platform",
      "设备中设置的密码与平台不一致" },
    { "it answers the challenge with something else than a digest: let it "
      "register with a password",
      "它对质询的应答不是摘要认证：请在设备中改用密码注册" },
    { "its digest uses an algorithm that it was not offered: set the device "
      "to MD5, or add it to sip.digest",
      "摘要使用了平台未提供的算法：请将设备设为 MD5，或在 sip.digest 中加入该算法" },
    { "its digest uses another qop than auth", "摘要使用了 auth 以外的 qop" },
    { "its digest was made for another SIP domain: set that of this platform "
      "in the device",
      "摘要按另一个 SIP 域计算：请在设备中填写本平台的 SIP 域" },
    { "it answered an old challenge, or that of another server, and was asked "
      "again",
      "它应答的是过期的或其他服务器的质询，已重新质询" },
    { "its id does not have 20 digits: correct it in the device",
      "设备编号不是 20 位数字：请在设备中更正" },
    { "it uses the id of this platform: give the device one of its own",
      "它使用了本平台的编号：请为设备设置自己的编号" },
    { "it sends messages from another address than it registered from: let "
      "it register again",
      "它从注册地址以外的地址发送消息：请让设备重新注册" },
    { "it sends messages and is not registered: let it register again, or "
      "restart it",
      "它未注册就发送消息：请让设备重新注册，或重启设备" },
    { "To of its REGISTER names another id than From",
      "REGISTER 的 To 与 From 编号不一致" },
    { "not enrolled; its password is right", "密码正确，尚未被接纳" },
    { "sip.allow_ids and sip.deny_ids keep it out",
      "被 sip.allow_ids 与 sip.deny_ids 拒绝" },
    { "%; SIP ALG suspected: try another SIP port, or TCP",
      "%1；疑似 SIP ALG：请更换 SIP 端口或改用 TCP" },
    { "%; the device at this address is known as %",
      "%1；该地址的设备已知编号为 %2" },
    /* sessions: evidence */
    { "the device answered 200, but no RTP packet came in % s; it was "
      "told to send to % over UDP%",
      "设备应答了 200，但 %1 秒内没有 RTP 包到达；已告知其经 UDP 发往 %2%3" },
    { "; packets with a foreign SSRC did come", "；收到过 SSRC 不符的包" },
    { "the TCP media connection is up, but no RTP packet came in % s (% "
      "unknown bytes)",
      "TCP 媒体连接已建立，但 %1 秒内没有 RTP 包到达（%2 字节无法识别）" },
    { "the device answered 200, but no TCP connection % came up in % s%",
      "设备应答了 200，但 %2 秒内没有%1 的 TCP 连接%3" },
    { "from it to %", "从设备到 %1" },
    { "to %", "到 %1" },
    { "; over UDP nothing came before", "；此前经 UDP 也没有收到媒体" },
    { "% packets (% bytes, % lost) came, but within % s not this: %; %",
      "收到 %1 个包（%2 字节，丢失 %3 个），但 %4 秒内没有：%5；%6" },
    { "% packets (% bytes, % lost) came, but within % s not this: %",
      "收到 %1 个包（%2 字节，丢失 %3 个），但 %4 秒内没有：%5" },
    { "payload is not a program stream, nor anything else that is known",
      "负载不是 PS 流，也不是其他已知格式" },
    { "payload is not a program stream: it looks like %",
      "负载不是 PS 流，看起来是 %1" },
    { "the stream is encrypted (marked as scrambled by the device); turn "
      "stream encryption off in it",
      "码流已加密（设备标记为加扰）；请在设备中关闭码流加密" },
    { "key frames come, but no parameter sets (SPS, PPS; VPS of H.265) to "
      "decode them with",
      "收到关键帧，但没有解码所需的参数集（SPS、PPS；H.265 还有 VPS）" },
    { "pictures come, but none of them is whole",
      "收到图像数据，但没有一帧是完整的" },
    { "media port % could not be opened: %", "无法打开媒体端口 %1：%2" },
    { "the media connection failed: %", "媒体连接失败：%1" },
    { "there is no address to tell the device", "没有可以告知设备的地址" },
    { "the INVITE could not be sent: %", "INVITE 无法发出：%1" },
    { "the INVITE could not be sent to the device", "INVITE 无法发往设备" },
    { "no answer to the INVITE in % s; the device is behind a NAT (%), "
      "last heard % s ago: the INVITE is held until it sends something, "
      "% s at most",
      "INVITE 在 %1 秒内没有应答；设备位于 NAT 之后（%2）"
      "，最近一次消息在 %3 秒前：INVITE 将等到它发来消"
      "息，最多 %4 秒" },
    { "no answer to the INVITE in % s%; it went to % over %, %; last "
      "sign of life % s ago",
      "INVITE 在 %1 秒内没有应答%2；经 %4 发往 %3，%5；最近一次消息在 %6 秒前" },
    { ", sent again after it was held for the device's NAT",
      "（因设备的 NAT 等待后重发过）" },
    { "it was only confirmed as received", "只确认收到，没有应答" },
    { "nothing came back", "没有任何回应" },
    { "the device wants to be connected at its private address %",
      "设备要求连接其内网地址 %1" },
    { "the device answered 200 without saying where to connect",
      "设备应答了 200，但未说明连接地址" },
    { "the device answered 200 with media port 0",
      "设备应答了 200，但媒体端口为 0" },
    { "the device announces encrypted video (a=vkek)",
      "设备声明视频已加密（a=vkek）" },
    { "the device answers with UDP where we would connect",
      "平台要主动连接，设备却以 UDP 应答" },
    { "the device answered the INVITE with % after % s; % other "
      "recordings of it are open here",
      "设备在 %2 秒后以 %1 应答 INVITE；本平台正打开它的另外 %3 路录像" },
    { "the device answered the INVITE with % after % s",
      "设备在 %2 秒后以 %1 应答 INVITE" },
    { "no RTP port is free and rested", "没有空闲的 RTP 端口" },
    { "no RTP port is free: % of % in use, % resting",
      "没有空闲的 RTP 端口：共 %2 个，%1 个在用，%3 个冷却中" },
    { "the device went offline: %; it is waited for, % s at most",
      "设备离线：%1；正在等待它恢复，最多 %2 秒" },
    { "the device went offline: %", "设备离线：%1" },
    { "the device is offline: %", "设备离线：%1" },
    { "the device is offline", "设备离线" },
    { "offline: %", "离线：%1" },
    { "no SSRC is free", "没有空闲的 SSRC" },
    { "no media for % s after % packets", "收到 %2 个包后，%1 秒没有媒体" },
    { "%, % s after its answer", "%1，在应答 %2 秒之后" },
    { "the device ended it with a BYE", "设备以 BYE 结束" },
    { "the device does not know the dialog any more", "设备已不认识该会话" },
    { "the dialog was lost", "会话丢失" },
    { "the device closed the media connection", "设备关闭了媒体连接" },
    { "% sessions are running, no more are allowed",
      "已有 %1 路会话，达到上限" },
    { "no device, or more than one, has this channel",
      "没有设备拥有该通道，或多台设备都有" },
    { "no device with this id has ever registered", "该编号的设备从未注册" },
    { "this is no id that a channel can have", "这不是有效的通道编号" },
    { "this server is stopping", "服务器正在停止" },
    { "this is no range of time that a recording can have",
      "录像时间范围无效" },
    { "nothing beyond \"%\" within % ms", "%2 毫秒内没有越过“%1”这一步" },
    { "nothing for % s%", "%1 秒没有进展%2" },
    { "; %", "；%1" },
    { "the video is of a codec that players do not know",
      "视频编码不被播放器支持" },
    { "the video is %", "视频编码为 %1" },
    { "the device sends sound alone", "设备只发送声音" },
    { "the device sends sound alone, of a codec that is not in this format",
      "设备只发送声音，且此格式不支持其音频编码" },
    { "the sound is %, and there is no picture", "音频编码为 %1，没有图像" },
    /* sessions: hints */
    { "a firewall or NAT drops the UDP packets, or the device cannot "
      "reach that address: check media.address and network.advertise, or "
      "use TCP",
      "防火墙或 NAT 丢弃了 UDP 包，或设备无法到达该地"
      "址：请检查 media.address 与 network.advertise，或改用 TC"
      "P" },
    { "the device opens the connection but sends nothing usable: try "
      "UDP, or another stream of the channel",
      "设备建立了连接，但没有发送可用的媒体：请改用"
      " UDP，或改用该通道的其他码流" },
    { "the device does not accept connections there: use tcp-passive, so "
      "that the device connects to us",
      "设备不接受连接：请使用 TCP 被动，由设备连接平台" },
    { "the device cannot reach that address, or a firewall drops it: "
      "check media.address, network.advertise and the open TCP ports",
      "设备无法到达该地址，或被防火墙拦截：请检查 me"
      "dia.address、network.advertise 与开放的 TCP 端口" },
    { "the device sends a format of its own: set its stream to GB/T "
      "28181 (PS)",
      "设备发送的是私有格式：请将码流设为 GB/T 28181（PS）封装" },
    { "set the video of the camera to H.264 or H.265",
      "请将摄像机的视频编码设为 H.264 或 H.265" },
    { "set the video of the camera to H.264 or H.265, or take .ps",
      "请将摄像机的视频编码设为 H.264 或 H.265，或使用 .ps" },
    { "take .flv or .mp4, where it is heard", "请使用 .flv 或 .mp4，可以听到声音" },
    { "set the sound of the camera to G.711 or AAC, or take .ps",
      "请将摄像机的音频编码设为 G.711 或 AAC，或使用 .ps" },
    { "save the video settings of the camera again, without smart coding "
      "and encryption, or reboot it; try TCP",
      "请在摄像机中重新保存视频设置（关闭智能编码和加密），或重启摄像机；也可尝试 TCP" },
    { "shorten the key frame interval of the camera to 4 s or less",
      "请将摄像机的关键帧间隔设为 4 秒以内" },
    { "another program uses the ports of media.ports, or the process may "
      "not open more files",
      "其他程序占用了 media.ports 的端口，或进程打开的文件已达上限" },
    { "another program uses the ports of media.ports",
      "其他程序占用了 media.ports 的端口" },
    { "look at the device's own log; try another transport",
      "请查看设备自身的日志；尝试其他传输方式" },
    { "set media.address to an address of this host that the device can "
      "reach",
      "请将 media.address 设为设备可以到达的本机地址" },
    { "the device is overloaded: try later", "设备过载：请稍后再试" },
    { "the server is at its limits: see its log",
      "服务器达到上限：请查看日志" },
    { "let the device send keep-alives more often, or register over TCP; "
      "sip.keep_open_s keeps its NAT open",
      "请缩短设备的心跳间隔，或改用 TCP 注册；sip.keep_o"
      "pen_s 可保持其 NAT 通道" },
    { "no answer to the INVITE has come, but RTP with the SSRC that it named: "
      "that is taken for one",
      "没有收到 INVITE 的应答，但收到了其中所给 SSRC 的 RTP：视为应答" },
    { "the answers of the device get lost on the way: look for a NAT or firewall "
      "between",
      "设备的应答在途中丢失：请检查中间的 NAT 或防火墙" },
    { "RTP came although the INVITE was not answered: the answers of the "
      "device get lost on the way",
      "INVITE 未应答却收到了 RTP：设备的应答在途中丢失" },
    { "check that the channel exists in the device; a restart of the "
      "device helps when it is stuck",
      "请确认设备中存在该通道；设备卡死时重启有效" },
    { "use tcp-passive: the device is behind NAT",
      "请使用 TCP 被动：设备位于 NAT 之后" },
    { "use tcp-passive", "请使用 TCP 被动" },
    { "the device takes the call but refuses the stream: try another "
      "transport or stream",
      "设备接受呼叫但拒绝发流：请尝试其他传输方式或码流" },
    { "turn GB 35114 encryption off in the device",
      "请在设备中关闭 GB 35114 加密" },
    { "use udp", "请使用 UDP" },
    { "the way to the device is gone: wait until it registers again",
      "到设备的通路已断：请等待它重新注册" },
    { "the device sends no more recordings at one time: stop another "
      "one, or wait for its end",
      "设备同时发送的录像路数已满：请停止其他录像，或等待其结束" },
    { "nothing may be recorded in this time: ask the device what it "
      "holds (RecordInfo)",
      "该时段可能没有录像：请先查询设备的录像（RecordInfo）" },
    { "the device does not understand the offer: update its firmware, or "
      "report its model",
      "设备不理解邀请内容：请升级固件，或反馈其型号" },
    { "the device asks for a password, and not for the one that it registers "
      "with: turn that off in the device",
      "设备要求平台提供密码，且与其注册密码不同：请在设备中关闭" },
    { "the device forbids it: allow this platform to see the channel",
      "设备禁止访问：请允许本平台访问该通道" },
    { "the device does not know this channel: refresh the catalog",
      "设备不认识该通道：请刷新目录" },
    { "the device could not reach the camera behind it",
      "设备无法连接其下的摄像机" },
    { "the channel is offline behind its recorder", "该通道在录像机下离线" },
    { "the device cannot take more sessions: stop other platforms or "
      "clients that watch it, or restart it",
      "设备的会话已满：请停止观看它的其他平台或客户端，或重启设备" },
    { "the device supports neither this transport nor the other",
      "设备既不支持此传输方式，也不支持另一种" },
    { "the device declines: see its own settings and log",
      "设备拒绝：请查看其设置与日志" },
    { "see the log of the device", "请查看设备日志" },
    { "widen media.ports or stop other sessions",
      "请扩大 media.ports，或停止其他会话" },
    { "see why the device went offline; the stream can be started again "
      "when it is back",
      "请查明设备离线的原因；恢复后可重新播放" },
    { "see why the device went offline", "请查明设备离线的原因" },
    { "stop other sessions", "请停止其他会话" },
    { "the device or the network stopped sending: check the device's own "
      "picture and the path to it",
      "设备或网络停止了发送：请检查设备自身的画面以及到设备的网络" },
    { "the device ended it: look for its limit of streams, and for other "
      "platforms that use it",
      "设备主动结束：请检查其取流路数上限，以及使用它的其他平台" },
    { "raise limits.sessions or stop other sessions",
      "请提高 limits.sessions，或停止其他会话" },
    { "free memory", "请释放内存" },
    { "name the device as well, or refresh its catalog",
      "请同时指明设备，或刷新其目录" },
    { "see the pending list for ids that knocked",
      "请在待接入列表中查看来访的编号" },
    { "use a channel id of the device's list", "请使用设备列表中的通道编号" },
    { "try again when it has started anew", "请在重新启动后再试" },
    { "check power and network of the device, and that it is set to "
      "register here",
      "请检查设备的供电与网络，以及是否设置为注册到本平台" },
    { "name a start before the end, at most 31 days apart",
      "开始时间应早于结束时间，间隔最多 31 天" },
    { "the stream comes, but no key frame yet: ask again, or shorten the "
      "key frame interval of the camera to 4 s or less",
      "码流已到达，但还没有关键帧：请重试，或将关键帧间隔设为 4 秒以内" },
    { "the session is still being started: ask again, and see its steps "
      "in /api/v1/sessions",
      "会话仍在建立：请稍后重试，步骤见 /api/v1/sessions" },
    /* steps */
    { "device is known and online", "设备已知且在线" },
    { "media port is open", "媒体端口已打开" },
    { "INVITE is sent", "INVITE 已发出" },
    { "device answers the INVITE", "设备应答 INVITE" },
    { "TCP media connection is up", "TCP 媒体连接已建立" },
    { "RTP arrives", "收到 RTP" },
    { "program stream is found", "识别出 PS 流" },
    { "video codec is known", "识别出视频编码" },
    { "key frame arrives", "收到关键帧" },
    { "picture is there", "画面已出现" },
    { "session is over", "会话结束" },
    /* voice */
    { "the device went offline", "设备离线" },
    { "all has been said", "已播完" },
    { "the media connection is gone", "媒体连接已断" },
    { "the longest time for a talk is over", "达到最长对讲时间" },
    { "try again when the device is back", "请在设备恢复后再试" },
    { "no media port or SSRC is free", "没有空闲的媒体端口或 SSRC" },
    { "look at the device's own log; over UDP there is no connection",
      "请查看设备自身的日志；UDP 方式没有连接" },
    { "use mode talk", "请使用对讲模式" },
    { "there is nobody in this device to be asked",
      "设备中没有可以询问的对象" },
    { "see the log of this server", "请查看本服务器的日志" },
    { "the Broadcast could not be sent: %", "Broadcast 无法发出：%1" },
    { "the device takes no broadcast: try mode talk, or switch its audio "
      "output on",
      "设备不接受广播：请改用对讲模式，或打开其音频输出" },
    { "the device answers the Broadcast with Result ERROR",
      "设备对 Broadcast 应答 Result ERROR" },
    { "% (TargetID %)", "%1（TargetID %2）" },
    { "the device invited us and then answered the Broadcast with Result "
      "ERROR",
      "设备邀请平台后又对 Broadcast 应答 Result ERROR" },
    { "check that the device is reachable", "请确认设备可达" },
    { "the device does not confirm the Broadcast (no 200 in % s)",
      "设备未确认 Broadcast（%1 秒内没有 200）" },
    { "set the audio of the device to G.711, and see in its log what it offers",
      "请将设备的音频设为 G.711，并在其日志中查看它提供的内容" },
    { "set the audio of the device to G.711", "请将设备的音频设为 G.711" },
    { "the download timed out (%)", "下载超时（%1）" },
    { "the package is damaged (%)", "升级包已损坏（%1）" },
    { "a fault of the system (%)", "系统故障（%1）" },
    { "for another reason (%)", "其他原因（%1）" },
    { "the device invites us, but %", "设备邀请平台，但 %1" },
    { "the device gave up too early, or this server is at its limits",
      "设备过早放弃，或服务器达到上限" },
    { "its INVITE could not be answered: %", "无法应答设备的 INVITE：%1" },
    { "try mode broadcast", "请改用广播模式" },
    { "the device answers the talk with 200, but without an m=audio that "
      "could be used",
      "设备对对讲应答了 200，但没有可用的 m=audio" },
    { "the device takes neither PCMA nor PCMU nor PS",
      "设备不支持 PCMA、PCMU 与 PS" },
    { "use TCP", "请使用 TCP" },
    { "the device does not say where to send to", "设备未说明发送地址" },
    { "somebody else talks to the device: try later",
      "其他人正在对讲：请稍后再试" },
    { "the device may know broadcast alone: try that mode",
      "设备可能只支持广播：请改用广播模式" },
    { "the device refuses the talk with %", "设备以 %1 拒绝对讲" },
    { "see the log of the device; it may not reach this server with an "
      "INVITE",
      "请查看设备日志；它的 INVITE 可能无法到达平台" },
    { "the device accepts the Broadcast to %, but has not invited us in "
      "% s",
      "设备接受了对 %1 的 Broadcast，但 %2 秒内没有邀请平台" },
    { "the device may not know Broadcast: try mode talk",
      "设备可能不支持 Broadcast：请改用对讲模式" },
    { "the device confirms the Broadcast, but neither answers it nor "
      "invites us",
      "设备确认了 Broadcast，但既未应答也未邀请平台" },
    { "the device does not confirm the Broadcast", "设备未确认 Broadcast" },
    { "see the log", "请查看日志" },
    { "the media loop does not answer", "媒体线程没有响应" },
    { "no answer to the INVITE (s=Talk)", "INVITE（s=Talk）没有应答" },
    { "check firewalls, media.address and the ports of media.ports",
      "请检查防火墙、media.address 与 media.ports 的端口" },
    { "no TCP connection to % came up", "没有到 %1 的 TCP 连接" },
    { "the device has not opened a TCP connection (%)",
      "设备没有建立 TCP 连接（%1）" },
    { "no voice connection came up", "语音连接没有建立" },
    /* errors of the system */
    { "arena or pool is exhausted", "内存不足" },
    { "connection refused", "连接被拒绝" },
    { "connection timed out", "连接超时" },
    { "connection reset by peer", "连接被对方重置" },
    { "address already in use", "地址已被占用" },
    { "too many open files", "打开的文件过多" },
    { "no route to host", "没有到主机的路由" },
    { "network is unreachable", "网络不可达" },
    { "host is unreachable", "主机不可达" },
    { "connecting to %: % (% attempts)", "连接 %1：%2（尝试 %3 次）" },
    /* commands, downloads, upgrades */
    { "it went on beyond % items", "超过 %1 项仍在继续" },
    { "it has told % items and went on for too long",
      "已返回 %1 项，持续时间过长" },
    { "the Response says Result %", "设备应答的 Result 为 %1" },
    { "it was answered late", "应答来迟" },
    { "a message came behind the end, which was at % items",
      "在 %1 项结束之后又收到消息" },
    { "refused or not answered: %", "被拒绝或未应答：%1" },
    { "% items have no time that can be read, and are left out",
      "有 %1 项录像的时间无法识别，已略去" },
    { "% of % items are missing", "共 %2 项，缺少 %1 项" },
    { "it has come with another SN than the question",
      "应答的 SN 与询问不一致" },
    { "the answer has no items and tells no number of them",
      "应答中没有内容，也未说明数量" },
    { "each message counts itself alone: these are all that came until "
      "the device fell silent",
      "每条消息只计自身：以上为设备停止前收到的全部" },
    { "%, after % tries", "%1，共尝试 %2 次" },
    { "%, after % try", "%1，共尝试 %2 次" },
    { "the MESSAGE was not answered", "MESSAGE 没有应答" },
    { "the MESSAGE arrived (200), but no Response came",
      "MESSAGE 已送达（200），但没有收到 Response" },
    { "no Response came", "没有收到 Response" },
    { "it could not be sent: %", "无法发出：%1" },
    { "the MESSAGE was answered with SIP %", "设备对 MESSAGE 应答 SIP %1" },
    { "the device was busy with other questions", "设备正忙于其他询问" },
    { "the device has sent nothing", "设备没有发送任何内容" },
    { "the file could not be finished: %", "文件无法完成：%1" },
    { "the device has recorded nothing in this time", "设备在该时段没有录像" },
    { "the device has more than % files in this time: ask for less",
      "设备在该时段的文件超过 %1 个：请缩短时间" },
    { "the device could not be asked what it has: %",
      "无法查询设备的录像：%1" },
    { "it is offline", "设备离线" },
    { "the file cannot be written: %", "文件无法写入：%1" },
    { "the room for downloads is used up: delete some",
      "下载空间已用完：请删除一些" },
    { "the device is gone", "设备已被删除" },
    { "the device sends no more recordings at one time: another one has "
      "to end",
      "设备同时发送的录像路数已满：需等待其他录像结束" },
    { "other downloads of this device run", "该设备的其他下载正在进行" },
    { "it could not be asked: %", "无法询问：%1" },
    { "%: what lies behind is left out", "%1：其后的内容未包含" },
    { "it fetched the file, but says nothing of how it went",
      "设备已取走文件，但未报告结果" },
    { "it has neither fetched the file nor said anything",
      "设备既未取走文件，也没有任何回应" },
    { "the order was refused: %", "命令被拒绝：%1" },
    { "the order: %", "命令：%1" },
    { "the device says: %", "设备报告：%1" },
    { "it said so late", "报告来迟" },
    /* pushes, webhooks, recordings */
    { "stopped", "已停止" },
    { "the connection is broken", "连接已断开" },
    { "the stream has ended", "码流已结束" },
    { "the server does not read", "对方服务器不接收" },
    { "no room for another viewer", "观看者已达上限" },
    { "the server has closed the connection", "对方服务器关闭了连接" },
    { "the server has ended the session", "对方服务器结束了会话" },
    { "the server wants the stream at another one",
      "对方服务器要求推送到另一台服务器" },
    { "the server asks too much", "对方服务器请求过多" },
    { "what answers does not speak RTSP", "应答方不使用 RTSP" },
    { "the server chose other channels: %", "对方服务器选择了其他通道：%1" },
    { "the parameter sets are too long", "参数集过长" },
    { "the name cannot be looked up", "域名无法解析" },
    { "the server does not answer in time", "对方服务器未及时应答" },
    { "no connection in time", "未能及时建立连接" },
    { "the stream has another codec now", "码流的编码已改变" },
    { "the live session has ended", "实时会话已结束" },
    { "the live session was stopped", "实时会话已停止" },
    { "the head of the answer is too long", "应答头过长" },
    { "the connection was closed before an answer", "应答前连接已关闭" },
    { "no memory", "内存不足" },
    { "no answer in time", "未及时应答" },
    { "no answer", "没有应答" },
    { "the disk is full", "磁盘已满" },
    { "the stream has no codec that RTSP carries",
      "码流的编码不能由 RTSP 传送" },
    { "no memory, or the event is too large", "内存不足，或事件过大" },
    { "the answer is no HTTP", "应答不是 HTTP" },
    { "TLS cannot be begun: no certificates to check with",
      "无法建立 TLS：没有用于校验的证书" },
    { "TLS cannot be begun: no memory, or a bad host name",
      "无法建立 TLS：内存不足，或主机名无效" },
    { "its address is in webhooks.deny, or none that is called",
      "其地址在 webhooks.deny 中，或不可呼叫" },
    /* answers of the API */
    { "too many failed logins from this address", "该地址登录失败次数过多" },
    { "too many logins at once", "同时登录过多，请稍后再试" },
    { "the password cannot be checked now", "暂时无法校验密码" },
    { "no admin password is set; use the token",
      "未设置管理员密码，请使用令牌" },
    { "the password is wrong", "密码不正确" },
    { "the present password is wrong", "当前密码不正确" },
    { "the present password is another one by now", "当前密码已被修改" },
    { "nobody would be admin any more", "至少要保留一名管理员" },
    { "only a user who has logged in has a password",
      "只有登录的用户才有密码" },
    { "who is admin sees everything: role admin goes with scope null",
      "管理员可见全部：角色 admin 不能限定范围" },
    { "no such user", "没有该用户" },
    { "no such command", "没有该命令" },
    { "no such device", "没有该设备" },
    { "no such device or channel", "没有该设备或通道" },
    { "no such session", "没有该会话" },
    { "no such download", "没有该下载" },
    { "no such recording", "没有该录像" },
    { "no such rule", "没有该规则" },
    { "no such webhook", "没有该回调" },
    { "no such group", "没有该分组" },
    { "no such picture", "没有该图片" },
    { "no such order", "没有该任务" },
    { "no such alarm", "没有该报警" },
    { "no such upgrade", "没有该升级" },
    { "no such file", "没有该文件" },
    { "no such file, or not any more", "没有该文件，或已不存在" },
    { "no such channel, or in many devices", "没有该通道，或多台设备都有" },
    { "no such node in the catalog", "目录中没有该节点" },
    { "there is nothing at this path", "此路径不存在" },
    { "nothing was changed", "没有任何改动" },
    { "other settings are being written: try again",
      "正在写入其他设置，请重试" },
    { "settings cannot be changed here", "此处不能修改设置" },
    { "the file of settings could not be written; nothing was changed",
      "设置文件无法写入，没有任何改动" },
    { "the log tells why", "原因见日志" },
    { "it is in force, but the store could not be written",
      "已生效，但存储无法写入" },
    { "the log tells why; until the disk takes it, which is tried again "
      "and again, it is lost at the next stop",
      "原因见日志；将反复重试写盘，成功之前停止程序会丢失该改动" },
    { "end is behind start, by 31 days at most",
      "结束时间应晚于开始时间，最多 31 天" },
    { "there are too many downloads: delete some", "下载过多，请删除一些" },
    { "downloads are off (download.max_gib is 0)",
      "下载功能已关闭（download.max_gib 为 0）" },
    { "there is no file: see its evidence", "没有文件，原因见说明" },
    { "the download is not over yet", "下载尚未完成" },
    { "that is more than a day", "超过一天" },
    { "nothing is recorded in this time", "该时段没有录像" },
    { "too many files: ask for a shorter time", "文件过多，请缩短时间范围" },
    { "others are looking through recordings",
      "其他人正在检索录像，请稍后再试" },
    { "recordings need SQLite, which this build has not",
      "录像需要 SQLite，本程序未包含" },
    { "this build keeps no history (SQLITE=0)",
      "本程序不保存历史（SQLITE=0）" },
    { "it exists already", "已存在" },
    { "there is no room for another one", "数量已达上限" },
    { "a live session cannot be controlled", "实时会话不能控制" },
    { "the session does not play yet, or no more", "会话尚未播放，或已结束" },
    { "the device has not answered the control before",
      "设备尚未应答上一条控制" },
    { "the session ended before the device answered", "设备应答前会话已结束" },
    { "the device did not answer", "设备没有应答" },
    { "it may not know this control; the stream goes on as it was",
      "设备可能不支持此控制；码流照常继续" },
    { "the device refuses it", "设备拒绝" },
    { "for another position start a new playback there; many devices "
      "know no other speed",
      "如需跳转请从该处重新播放；许多设备不支持其他倍速" },
    { "too many channels are recorded", "录像的通道过多" },
    { "nothing is written of it yet", "尚未写入任何内容" },
    { "it is being written: stop it first", "正在写入，请先停止" },
    { "a device without a store has nothing to tell; ask for a shorter "
      "time where it is slow",
      "没有存储的设备不会返回录像；设备较慢时请缩短时间范围" },
    { "this id has not knocked", "该编号未曾来访" },
    { "sip.allow_ids and sip.deny_ids keep this id out",
      "该编号被 sip.allow_ids 与 sip.deny_ids 拒绝" },
    { "an id has 18 to 20 digits and is not that of the platform; no "
      "control characters",
      "编号为 18 至 20 位数字，且不能是平台编号；不能有控制字符" },
    { "a name has 1 to 64 bytes and no '/', a password at most 64 bytes",
      "名称为 1 至 64 字节且不含“/”，密码最多 64 字节" },
    { "pictures are off (snapshot.max_mib is 0)",
      "图片功能已关闭（snapshot.max_mib 为 0）" },
    { "SnapShotConfig came with GB/T 28181-2022, and the device says "
      "that it is older; set its edition if it knows better",
      "SnapShotConfig 始于 GB/T 28181-2022，而设备声明的版本"
      "更早；如实际支持，请设置其版本" },
    { "name another edition in the request, or set that of the device",
      "请在请求中指定其他版本，或设置设备的版本" },
    { "no messages are kept: trace.memory_mib is 0",
      "未保存信令：trace.memory_mib 为 0" },
    { "set trace.memory_mib and restart", "请设置 trace.memory_mib 并重启" },
    { "the command has been forgotten", "命令已被清除" },
    { "the session was stopped", "会话已停止" },
    { "the session was stopped before its first picture",
      "会话在出图之前已停止" },
    { "this path does not take this method", "此路径不支持该方法" },
    { "this needs a higher role", "需要更高的角色" },
    { "this needs an account that sees all devices", "需要可见全部设备的账号" },
    { "credentials are missing, wrong or expired", "凭据缺失、错误或已过期" },
    { "this request comes from a page of another origin",
      "请求来自其他来源的页面" },
    { "the key frame could not be made into a JPEG", "关键帧无法转换为 JPEG" },
    { "frame.mp4 at the same place is the key frame as it is; see "
      "snapshot.ffmpeg",
      "同一位置的 frame.mp4 是原始关键帧；参见 snapshot.ffmpeg" },
    { "a JPEG is made by ffmpeg: set snapshot.ffmpeg to its path; "
      "frame.mp4 is the same picture as it comes",
      "JPEG 由 ffmpeg 生成：请将 snapshot.ffmpeg 设为其路径；"
      "frame.mp4 是同一画面的原始数据" },
    { "too many pictures are being made", "正在生成的图片过多" },
    { "too many requests are waiting", "等待的请求过多" },
    { "this build does not serve this format", "本程序不提供该格式" },
    { "the times are no range of a recording", "录像时间范围无效" },
    { "the device cannot be asked now", "现在无法请求设备" },
    { "no room for another session", "会话数已达上限" },
    { "nobody speaks to this device", "没有人在对该设备讲话" },
    { "the recording is too long", "录音过长" },
    { "the device cannot be spoken to", "无法向设备讲话" },
    { "too many talks are under way", "对讲过多" },
    { "the device sends no program stream", "设备没有发送 PS 流" },
    { "take .ts or .mp4, or set the stream of the device to GB/T 28181 "
      "(PS)",
      "请使用 .ts 或 .mp4，或将设备码流设为 GB/T 28181（PS）" },
    { "the stream is gone, or takes no more viewers",
      "码流已断，或观看者已达上限" },
    { "ask again, or shorten the key frame interval of the camera to 4 s "
      "or less",
      "请重试，或将关键帧间隔设为 4 秒以内" },
    { "the first segment is not ready", "第一个分片尚未就绪" },
};
/* clang-format on */

/* The text is the row's, with anything where that has '%'. Each piece of the row
 * is taken where it comes first, the last one at the end. */
static bool fits(const char *row, struct slice text, struct slice *got)
{
    struct slice rest = slice_str(row), piece;
    bool more = slice_cut(&rest, '%', &piece);

    if (!slice_has_prefix(text, piece))
        return false;
    if (!more)
        return text.n == piece.n;
    text = slice_from(text, piece.n);
    for (; more; got++) {
        size_t at;

        more = slice_cut(&rest, '%', &piece);
        if (!more) {
            if (text.n < piece.n)
                return false;
            at = text.n - piece.n;
            *got = slice_head(text, at);
            return slice_eq(slice_from(text, at), piece);
        }
        at = slice_find_slice(text, piece);
        if (at == text.n && piece.n)
            return false;
        *got = slice_head(text, at);
        text = slice_from(text, at + piece.n);
    }
    return true;
}

static bool put(struct writer *w, struct slice english, unsigned depth)
{
    struct slice got[GOT_MAX];
    size_t i = 0;

    while (i < sizeof(rows) / sizeof(rows[0]) &&
           !fits(rows[i].english, english, got))
        i++;
    if (i == sizeof(rows) / sizeof(rows[0]) || !english.n)
        return false;
    for (const char *s = rows[i].chinese; *s; s++) {
        if (*s != '%') {
            writer_char(w, *s);
            continue;
        }
        s++;
        if (depth == DEPTH_MAX || !put(w, got[*s - '1'], depth + 1))
            writer_slice_put(w, got[*s - '1']);
    }
    return true;
}

bool chinese_write(struct writer *w, struct slice english)
{
    return put(w, english, 1);
}
