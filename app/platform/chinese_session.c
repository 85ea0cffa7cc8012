/* how sessions go, and what helps one that does not */
#include "app/platform/chinese_int.h"

/* clang-format off */
const struct chinese_row chinese_session[] = {
    /* evidence */
    { "the device answered 200, but no RTP packet came in % s; it was "
      "told to send to % over UDP%",
      "设备应答了 200，但 %1 秒内没有 RTP 包到达；已告知其经 UDP 发往 %2%3" },
    { "; packets with a foreign SSRC did come", "；收到过 SSRC 不符的包" },
    { "the TCP media connection is up, but no RTP packet came in % s (% "
      "unknown bytes)%",
      "TCP 媒体连接已建立，但 %1 秒内没有 RTP 包到达（%2 字节无法识别）%3" },
    { "; its answer has no SDP", "；其应答中没有 SDP" },
    { "; the SDP of its answer cannot be read", "；其应答中的 SDP 无法读取" },
    { "; its answer names no video", "；其应答中没有视频" },
    { "; its answer names media port 0", "；其应答中的媒体端口为 0" },
    { "; its answer names none of the formats that were offered",
      "；其应答中没有平台提供的任何格式" },
    { "the device takes the call, but does not say that it sends what was asked "
      "for: look at the channel there, or try another stream",
      "设备接受了呼叫，但未表明会发送所请求的内容：请检查设备上的该通道，或尝试其他码流" },
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
    { "device closed the media connection and did not come back",
      "设备关闭了媒体连接且没有重连" },
    { "%; no other connection came", "%1；没有新的连接" },
    { "device closed the connection", "设备关闭了连接" },
    { "RTP framing was lost and not found again",
      "RTP 成帧错乱且无法恢复" },
    { "bytes on the connection are no media", "连接上的数据不是媒体" },
    { "connection carried no valid RTP packet", "连接上没有有效的 RTP 包" },
    { "connecting to %: % (% attempts)", "连接 %1：%2（尝试 %3 次）" },
    { "there is no address to tell the device", "没有可以告知设备的地址" },
    { "the device answered 503 and wants to be left alone for another % s "
      "(Retry-After)",
      "设备应答了 503，要求在 %1 秒内不再联系它（Retry-After）" },
    { "the INVITE could not be sent: %", "INVITE 无法发出：%1" },
    { "the INVITE could not be sent to the device", "INVITE 无法发往设备" },
    { "the connection to the device was lost before it answered the INVITE",
      "设备应答 INVITE 之前，与设备的连接已断开" },
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
    { "% before it answered the INVITE", "%1，此前未应答 INVITE" },
    { "the device ended it with a BYE", "设备以 BYE 结束" },
    { "the device ended it with a BYE (%)", "设备以 BYE 结束（%1）" },
    { "the device does not know the dialog any more", "设备已不认识该会话" },
    { "the dialog was lost", "会话丢失" },
    { "the device closed the media connection", "设备关闭了媒体连接" },
    { "what came on the media connection was no RTP any more",
      "媒体连接上的数据已不是 RTP" },
    { "% sessions are running, no more are allowed",
      "已有 %1 路会话，达到上限" },
    { "no device, or more than one, has this channel",
      "没有设备拥有该通道，或多台设备都有" },
    { "no device with this id has ever registered", "该编号的设备从未注册" },
    { "this is no id that a channel can have", "这不是有效的通道编号" },
    { "this server is stopping", "服务器正在停止" },
    { "this is no range of time that a recording can have",
      "录像时间范围无效" },
    { "nothing beyond \"%\" within % s", "%2 秒内没有越过“%1”这一步" },
    { "nothing for % s%", "%1 秒没有进展%2" },
    { "; %", "；%1" },
    { "the video is of a codec that players do not know",
      "视频编码不被播放器支持" },
    { "the video is %", "视频编码为 %1" },
    { "the device sends sound alone", "设备只发送声音" },
    { "the device sends sound alone, of a codec that is not in this format",
      "设备只发送声音，且此格式不支持其音频编码" },
    { "the sound is %, and there is no picture", "音频编码为 %1，没有图像" },
    /* hints */
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
    { "packets are lost on their way: try TCP, or a lower bit rate of the "
      "camera",
      "传输途中丢包：请改用 TCP，或降低摄像机码率" },
    { "the device leaves packets out, as its uplink or its encoder cannot "
      "keep up: lower the bit rate of the camera",
      "设备漏发数据包（上行带宽或编码能力不足）：请降低摄像机码率" },
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
    { "the device asks for a password, and gets it only where it has "
      "registered from: let it register again, or turn that off in the device",
      "设备要求平台提供密码，仅向其注册时的地址提供：请让设备重新注册，或在设备中关闭" },
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
    { "the device sends the call elsewhere, which no platform follows: let "
      "the one that has the channel register here",
      "设备要求改向别处呼叫，平台不会跟随：请让拥有该通道的设备直接注册到本平台" },
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
    { 0 },
};
/* clang-format on */
