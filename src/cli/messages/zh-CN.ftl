### 简体中文。每条消息都与 en.ftl 中的同名消息对应，参数相同。
###
### 花括号中的名称是参数。命令行中的内容（如 carryall check --data）保持原样。中文之间使用全角标点。

## 标签

label-error = 错误
label-hint = 提示

## 程序本身

fault = carryall 程序内部出错，已终止：{ $what }（carryall { $version }，{ $place }，命令：{ $command }）
    .hint = 读取的内容未被改动，仓库保持在上一个完成步骤之前或之后的状态。请把上一行发给 carryall 的维护者；除所显示的内容外，其中不含您的名称
stopping = 正在停止；已完成的部分会保留（再按一次 Ctrl-C 立即结束）

### 帮助页。

help-about = 用光盘和 U 盘把软件发布包送过物理隔离的网络边界。
help-usage = 用法：
help-options-tag = [选项]
help-command-tag = 命令
help-heading-arguments = 参数：
help-heading-options = 选项：
help-heading-commands = 命令：
help-heading-global = 通用选项：
help-heading-examples = 示例：
help-group-vendor = 供应方：
help-group-media = 介质（两端均可）：
help-group-site = 现场：
help-group-both = 仓库（两端均可）：
help-default = { $help }【默认：{ $value }】
help-value = - { $value }：{ $about }
help-more = carryall help 命令 可查看该命令的用法和示例。
help-after =
    退出码：0 完成；1 失败；2 用法错误；3 完成，但仍有损坏；4 还需要更多卷，或还需要增量包所依赖的发布包；130 被中断。
    容量单位：MB 为 10^6 字节，MiB 为 2^20 字节。区域设置（LC_ALL、LC_MESSAGES、LANG）为中文时，消息用中文显示。
    介质的“路径”可以是已挂载的卷、放有卷的目录、.iso 或原始映像、块设备、单个数据文件，以及它们受损的副本。程序按内容识别，不看名称。
help-examples =
    # 供应方：制作发布包，写成光盘映像，其中一张备用
    carryall add shop:1.0 web.tar docs/
    carryall pack shop:1.0 --to discs --media dvd --spare 1 --iso
    # 现场：逐张读入光盘，再还原发布包
    carryall receive /media/cdrom
    carryall checkout shop:1.0 /srv/shop

help-name-release = 发布包
help-name-releases = 发布包
help-name-from = 发布包
help-name-to = 发布包
help-name-name = 名称
help-name-paths = 路径
help-name-path = 路径
help-name-dir = 目录
help-name-dest = 目标
help-name-file = 文件
help-name-file-html = 文件.html
help-name-file-pem = 文件.pem
help-name-set = 卷集
help-name-number = 卷号
help-name-n = 数量
help-name-percent = 百分比
help-name-seconds = 秒数
help-name-kind = 种类
help-name-how = 方式
help-name-code = 校验码
help-name-form = 形式
help-name-program = 程序
help-name-os-arch-variant = 系统/架构[/变体]
help-name-receipt = 回执
help-name-text = 文字
help-name-yyyy-mm-dd = 年-月-日
help-name-ref = 镜像
help-name-registry = 镜像仓库
help-name-host-prefix = 主机=前缀
help-name-address-port = 地址:端口
help-name-glob = 通配符

help-arg-store = 仓库目录【默认：$CARRYALL_STORE，否则为用户数据目录下的 carryall】
help-arg-json = 报告以一个 JSON 文档写到标准输出，进度以 JSON 行写到标准错误
help-arg-quiet = 不显示进度条
help-arg-verbose = 显示全部发现的问题和长列表的每一行，而不只是开头部分
help-arg-help = 显示帮助
help-arg-version = 显示版本
help-arg-release = 名称:版本[@架构]
help-arg-image = 只要这个镜像：写名称（可省略主机和标签），或摘要、标识的开头几位；可多次给出
help-arg-platform = 只要适用于该平台的镜像；可多次给出。发布包名没有写架构、且只给出一个平台时，如果有 发布包@架构，则指它
help-arg-plain-http = 用不加密的 HTTP 访问镜像仓库；访问本机时自动如此
help-arg-ca = 除本机自带的之外，镜像仓库所用的根证书

help-add = 用文件和目录制作发布包，或扩充已有的发布包
help-add-long = 每个路径成为发布包中的一个项目。存入的内容会重新读出并比对，一致后发布包才生效。没有仓库时自动创建。
help-add-arg-paths = docker 归档、OCI 目录、任意文件和目录；每一个成为一个项目，名称与文件或目录相同。docker://REF：镜像仓库中的镜像，按标签或摘要；-：标准输入的内容。名称=路径、名称=docker://REF、名称=-：为项目指定名称
help-add-arg-name = 唯一项目的名称，或 docker://REF、- 所得项目的名称【默认：文件名；主机_仓库_标签；stdin.tar】
help-add-arg-platform = 只拉取适用于该平台的镜像，例如 linux/arm64；可多次给出【默认：全部】
help-add-arg-gzip = 是否解开 gzip 流和 zip 文件；解开后，其中的内容再次出现时便能识别
help-add-value-gzip-auto = 划算时解开
help-add-value-gzip-keep = 全部保持原样
help-add-arg-gzip-recipe = 重建信息超过压缩流的这个比例时，该流保持原样
help-add-arg-gzip-seconds-per-gb = 用去 10 秒处理器时间之后，若解开一个流所需的时间超过每 GB 原始数据这么多秒，该流保持原样；0：不限
help-add-arg-ready = 像 receive 那样另外留存压缩好的层：用于要推送镜像或提供镜像的仓库
help-add-examples =
    # docker save 写出的镜像和一个目录
    carryall add shop:1.0 web.tar docs/
    # 直接取自镜像仓库的镜像，只要一个平台
    carryall add shop:1.0 docker://registry.example/shop/web:1.0 --platform linux/arm64
    # 其他程序的输出，自行命名
    docker save shop/web:1.0 | carryall add shop:1.0 web.tar=-

help-list = 列出仓库中的发布包
help-list-long = 每个发布包一行：名称、大小、项目数和标识的开头几位。
help-list-examples =
    # 当前用户的仓库
    carryall list
    # 另一个仓库
    carryall list --store /srv/carryall
    # 供脚本使用
    carryall list --json

help-show = 查看发布包的内容
help-show-long = 列出项目、应用包、镜像（名称、平台、摘要），以及保持原样的压缩流。
help-show-examples =
    # 全部内容
    carryall show shop:1.0
    # 一个镜像
    carryall show shop:1.0 --image shop/web
    # 某个架构的发布包
    carryall show shop:1.0 --platform linux/arm64

help-diff = 比较两个发布包：有何不同，新增多少，主要在哪里
help-diff-long = 两个发布包都必须在仓库中。所列大小就是为已有旧版的一方制作增量包的大小。
help-diff-arg-from = 旧版：名称:版本[@架构]
help-diff-arg-to = 新版：名称:版本[@架构]
help-diff-examples =
    # 下一个版本带来什么
    carryall diff shop:1.0 shop:1.1
    # 列出每个目录和文件，而不只是最大的
    carryall diff shop:1.0 shop:1.1 --verbose
    # 一个架构
    carryall diff shop:1.0@arm64 shop:1.1@arm64

help-rm = 从仓库移除发布包；空间由 prune 释放
help-rm-long = 其他发布包需要的数据保留。
help-rm-examples =
    # 一个发布包
    carryall rm shop:1.0
    # 某个架构的发布包
    carryall rm shop:1.0@arm64
    # 从另一个仓库移除
    carryall rm shop:1.0 --store /srv/carryall

help-prune = 释放没有发布包需要的数据块所占的空间
help-prune-long = 没有发布包需要的数据包会被删除，大部分已无用的数据包会被重写。
help-prune-arg-keep-last = 先移除旧版本：每个名称和架构只留最新的若干个版本，以及用 keep 标记的
help-prune-arg-ready = 连同留存备用的压缩层和压缩文件一起删除；以后需要时会重新生成
help-prune-examples =
    # 在 rm 之后
    carryall prune
    # 保留最新的三个版本
    carryall prune --keep-last 3
    # 尽量腾出空间
    carryall prune --ready

help-keep = 标记发布包，使 prune --keep-last 不移除它
help-keep-long = 标记只影响自动清理：rm 仍可移除有标记的发布包。
help-keep-arg-no-longer = 取消标记
help-keep-examples =
    # 某个现场正在使用的版本
    carryall keep shop:1.0
    # 不再保留
    carryall keep shop:1.0 --no-longer
    # 一个架构
    carryall keep shop:1.0@arm64

help-pack = 把发布包写成一套光盘或磁盘
help-pack-long = 先显示计划：卷数、备用卷，以及保证能修复的损坏。加上 --since、--for 或 --site 时制作增量包：只含接收方没有的内容。
help-pack-arg-releases = 名称:版本[@架构]；多个发布包写入同一套卷
help-pack-arg-platform = 没有写架构的发布包，指适用于该平台的那一个：如果有 发布包@架构，则用它
help-pack-arg-to = 输出目录，每卷一个子目录或一个 .iso
help-pack-arg-plan = 只显示计划：卷数、备用卷和保证的修复能力。结果准确，耗时与压缩相当，不写入任何内容
help-pack-arg-estimate = 只估算交付包的大小，按项目、镜像和内容类别列出；不写入任何内容
help-pack-arg-media = cd、dvd、dvd-dl、bd、bd-dl、bdxl、usb（一个足够大的盘），或确切容量，例如 8GB；适用于光盘、FAT32 和 exFAT
help-pack-arg-sectors = 介质的确切大小，以 2048 字节的扇区计
help-pack-arg-media-at = 介质已挂载在此：可用空间由其文件系统给出，不论是哪种文件系统
help-pack-arg-since = 不含已有该发布包的接收方所拥有的内容；多次给出时，不含这些接收方都有的内容。A,B：指同时有这两个发布包的接收方
help-pack-arg-receipts = 不含该回执的站点已有的内容：写文件名，或直接写回执文字；多次给出时，不含这些站点都有的内容
help-pack-arg-site = 以此名称记住回执和打包的内容；没有 --for 和 --since 时，按记住的情况打包
help-pack-arg-spare = 备用卷数：丢失任意这么多卷仍可恢复【默认：有两个以上数据卷时为 1】
help-pack-arg-many-spares = 不论数据卷多少，备用卷数都按 --spare 的要求
help-pack-arg-contact = 写在每卷说明页上的联系人：一行，最多 200 个字符
help-pack-arg-date = 写在每卷说明页上的日期【默认：$SOURCE_DATE_EPOCH 的日期，否则为最新一个发布包的制作日期】
help-pack-arg-local = 本卷校验所占百分比：单卷自身能修复的损坏【默认：有备用卷时为 3，否则为 10；有剩余空间时更多】
help-pack-arg-effort = 压缩力度
help-pack-value-effort-fast = 与磁盘一样快
help-pack-value-effort-default = 较小，耗时合理
help-pack-value-effort-max = 尽可能小；慢数倍
help-pack-arg-iso = 写成可直接刻录的 .iso 映像，而不是目录
help-pack-arg-codec = 校验码
help-pack-value-codec-gf16 = GF(2^16) 上的 Reed-Solomon 码，快
help-pack-value-codec-gf8 = GF(2^8) 上的 Reed-Solomon 码：较慢，是其他程序也能解的经典码
help-pack-examples =
    # 供刻录的光盘映像，可丢失其中任意两张
    carryall pack shop:1.0 --to discs --media bd --spare 2 --iso
    # 只含已有 1.0 版的站点所缺的内容，写到一个 U 盘
    carryall pack shop:1.1 --since shop:1.0 --to usb --media usb
    # 为发来回执的站点打包
    carryall pack shop:1.1 --for plant-7.receipt --site plant-7 --to discs --media dvd

help-inspect = 查看卷里有什么
help-inspect-long = 列出每套卷中的发布包和项目，以及手头有哪些卷。是否完好请用 verify 检查。
help-inspect-arg-paths = 介质、映像、目录或单个数据文件
help-inspect-examples =
    # 光驱里的光盘
    carryall inspect /media/cdrom
    # 文件系统已损坏的光盘
    carryall inspect /dev/sr0
    # 目录里的映像
    carryall inspect discs/

help-verify = 检查卷：哪里损坏或缺失，能否全部恢复
help-verify-long = 读取每一个块。介质和仓库都不会被改动。
help-verify-arg-paths = 介质、映像、目录或单个数据文件；同一卷的多份拷贝合并使用
help-verify-arg-map = 把各卷的损坏情况画成一个 HTML 页面
help-verify-arg-at-hand = 只问手头的卷是否完好，例如刚刻好一张光盘时：不论同套的其他卷在不在，完好时退出码为 0，否则为 3
help-verify-examples =
    # 刚刻好的光盘
    carryall verify /media/cdrom --at-hand
    # 整套卷，并生成标出损坏位置的页面
    carryall verify discs/ --map damage.html
    # 同一卷的两份不完好的拷贝
    carryall verify first.iso second.iso

help-repair = 重建损坏或丢失的卷，与当初写入的逐字节相同
help-repair-long = receive 会自动修复，接收之前不必运行本命令。它用于制作新盘来替换坏盘。
help-repair-arg-paths = 这套卷现存的全部内容：介质、映像、目录或单个数据文件
help-repair-arg-to = 存放重建的卷的目录
help-repair-arg-volume = 即使这一卷完好也重建；可多次给出【默认：所有不完好的卷】
help-repair-arg-iso = 写成 .iso 映像，而不是目录
help-repair-examples =
    # 所有不完好的卷
    carryall repair discs/ --to new
    # 第 3 卷，写成可刻录的映像
    carryall repair discs/ --to new --volume 3 --iso
    # 用 ddrescue 从各张光盘读出的映像
    carryall repair 1.img 2.img 4.img --to new

help-receive = 把卷读入仓库：顺序不限，一次一卷或多卷均可，中断后可继续
help-receive-long = 显示还需要哪些卷；一套卷读齐之前，退出码为 4。损坏在这套卷的能力之内自动修复。没有仓库时自动创建。
help-receive-arg-paths = 介质、映像、目录或单个数据文件
help-receive-arg-platform = 只接收适用于该平台的发布包（发布包@架构）和没有写架构的发布包；可多次给出。其他发布包不索要也不入库；以后不加此选项，可从同样的卷接收【默认：全部】
help-receive-examples =
    # 逐张光盘读入
    carryall receive /media/cdrom
    # 一次读入全部映像
    carryall receive discs/
    # 只要本机能运行的
    carryall receive /media/cdrom --platform linux/arm64

help-receipt = 用几十个字节说明本仓库有什么，供应方据此只发所缺的内容
help-receipt-long = 供应方用 pack --for 读取回执。回执含有发布包的标识，以及丢失或损坏的数据块的标识，不含文件名。
help-receipt-arg-out = 写成文件【默认：显示为可手工输入或口述的文字】
help-receipt-examples =
    # 在电话里念给对方
    carryall receipt
    # 写成文件发给对方
    carryall receipt -o plant-7.receipt
    # 供脚本使用
    carryall receipt --json

help-site = 查看或删除打包时记住的站点
help-site-long = pack --site 会记住站点最近的回执，以及为它打包过的内容。
help-site-examples =
    # 全部站点
    carryall site list
    # 删除已停用的站点
    carryall site forget plant-7
    # 打包时为站点命名
    carryall pack shop:1.1 --site plant-7 --to discs --media dvd
help-site-list = 列出站点：最近的回执和最近一次打包的内容
help-site-list-long = 每个站点一行。
help-site-list-examples =
    # 全部站点
    carryall site list
    # 另一个仓库的站点
    carryall site list --store /srv/carryall
    # 供脚本使用
    carryall site list --json
help-site-forget = 删除一个站点的记录
help-site-forget-long = 如果不另给回执或发布包，下次将为它打完整包。
help-site-forget-arg-name = 站点名称
help-site-forget-examples =
    # 一个站点
    carryall site forget plant-7
    # 另一个仓库的站点
    carryall site forget plant-7 --store /srv/carryall
    # 供脚本使用
    carryall site forget plant-7 --json

help-status = 查看仓库，以及正在接收的卷集还缺什么
help-status-long = 只要还有卷集在等待其他卷或所依赖的发布包，退出码就是 4。
help-status-examples =
    # 还缺什么
    carryall status
    # 另一个仓库
    carryall status --store /srv/carryall
    # 供脚本使用
    carryall status --json

help-forget = 放弃正在接收的卷集：删除已读入的部分，已入库的发布包不受影响
help-forget-long = 以后仍可重新接收这些卷。
help-forget-arg-sets = 卷集：写卷集号的开头几位，或 status 列表中的序号
help-forget-arg-all-incomplete = 所有在等待其他卷或所依赖的发布包的卷集
help-forget-examples =
    # status 列出的第一套
    carryall forget 1
    # 按卷集号
    carryall forget 12ab34cd
    # 所有在等待的卷集
    carryall forget --all-incomplete

help-checkout = 还原发布包，或把其中的镜像写成其他程序能载入的形式，逐字节校验
help-checkout-long = 文件的内容、权限、时间和链接都还原。仓库中损坏的部分会列出，其余照常还原。
help-checkout-arg-dest = 存放项目的目录；应不存在或为空
help-checkout-arg-item = 只要这个项目；可多次给出
help-checkout-arg-form = 还原的形式：原始项目，或写到“目标”的镜像
help-checkout-value-form-original = 全部项目，逐字节还原
help-checkout-value-form-docker-archive = docker、podman、nerdctl、skopeo 能载入的文件
help-checkout-value-form-oci = skopeo、podman、buildah、containerd 能读取的目录，摘要与来时相同
help-checkout-examples =
    # 全部内容
    carryall checkout shop:1.0 /srv/shop
    # 一个项目
    carryall checkout shop:1.0 out --item web.tar
    # 把一个镜像写成 docker load 能载入的文件
    carryall checkout shop:1.0 web.tar --as docker-archive --image shop/web

help-install = 把发布包装在旧版本旁边并切换过去：目录/releases/版本 和 目录/current
help-install-long = 未改动的文件与上一版本共用空间。现场编辑过的文件会沿用。
help-install-arg-into = 存放各版本的目录；不存在时自动创建
help-install-arg-keep = 由现场编辑的文件，从正在使用的版本沿用：文件名或版本目录下的路径，可用 * 和 ?
help-install-arg-copy = 未改动的文件单独占用空间，不与上一版本共用
help-install-examples =
    # 把新版本装在旧版本旁边
    carryall install shop:1.1 --into /opt/shop
    # 现场的设置保持不变
    carryall install shop:1.1 --into /opt/shop --keep "*.env" --keep "conf/*.yaml"
    # 退回上一版本
    carryall rollback /opt/shop

help-rollback = 把 目录/current 切换回之前使用的版本
help-rollback-long = 不删除任何内容。再运行一次则又切换到新版本。
help-rollback-arg-dir = install 时指定的目录
help-rollback-examples =
    # 一个产品
    carryall rollback /opt/shop
    # 再来一次：又到新版本
    carryall rollback /opt/shop
    # 供脚本使用
    carryall rollback /opt/shop --json

help-push = 把发布包中的镜像推送到镜像仓库，摘要与来时相同
help-push-long = 镜像仓库已有的内容不再发送。凭据取自 docker login。
help-push-arg-to = 主机[:端口][/前缀]。镜像保留仓库名和标签，只去掉原来的主机：registry.example/shop/web:1.0 变成 主机/前缀/shop/web:1.0
help-push-arg-map = 来自该主机的镜像放到该前缀之下，而不是去掉主机；可多次给出。没有写主机的名称，其主机是 docker.io；“主机=”表示没有前缀
help-push-arg-keep-host = 镜像原来的主机成为仓库名的第一段：registry.example/shop/web:1.0 变成 主机/前缀/registry.example/shop/web:1.0
help-push-arg-new-name = --image 所选的那一个镜像在那里的名称，代替原名：仓库[:标签]
help-push-examples =
    # 推送到现场的镜像仓库
    carryall push shop:1.0 registry.site:5000
    # 放在前缀之下，不用 TLS
    carryall push shop:1.0 registry.site:5000/mirror --plain-http
    # 一个镜像，换一个名称
    carryall push shop:1.0 registry.site:5000 --image shop/web --as web:stable

help-serve = 充当只读的镜像仓库，直接从仓库提供镜像，直到按下 Ctrl-C
help-serve-long = 运行期间新增或移除的发布包会被注意到。启动时会显示 containerd 和 docker 所需的配置。
help-serve-arg-releases = 名称:版本[@架构]【默认：仓库中的全部发布包】
help-serve-arg-listen = 监听的地址和端口；0.0.0.0:5000 面向整个网络
help-serve-arg-tls-cert = 证书及其上级证书，用于 TLS
help-serve-arg-tls-key = 证书的密钥
help-serve-arg-htpasswd = 允许拉取者的用户名和密码，由 htpasswd -B 写成【默认：人人可拉取】
help-serve-arg-ahead = 在有人拉取之前先备好各层，使第一次拉取与第二次一样快
help-serve-examples =
    # 只供本机使用
    carryall serve
    # 面向整个网络，只提供一个发布包
    carryall serve shop:1.0 --listen 0.0.0.0:5000
    # 使用 TLS 和密码
    carryall serve --listen 0.0.0.0:5000 --tls-cert site.pem --tls-key site.key.pem --htpasswd users

help-load = 通过管道把发布包中的镜像交给 docker、podman、nerdctl 或 containerd
help-load-long = 中间不写文件，也不经过网络。
help-load-arg-with = 接收镜像的程序【默认：以下程序中第一个能用的】
help-load-value-with-docker = docker load
help-load-value-with-podman = podman load
help-load-value-with-nerdctl = nerdctl load
help-load-value-with-ctr = ctr images import
help-load-arg-namespace = containerd 的命名空间，用于 nerdctl 和 ctr：Kubernetes 使用 k8s.io
help-load-examples =
    # 用第一个能用的程序
    carryall load shop:1.0
    # 供 Kubernetes 使用
    carryall load shop:1.0 --with ctr --namespace k8s.io
    # 一个镜像
    carryall load shop:1.0 --image shop/web

help-check = 检查仓库中的一切是否完好
help-check-long = 不加 --data 时只检查结构。加上 --heal-from 时，用这些卷中的完好数据替换损坏的数据。
help-check-arg-data = 读取并检查每一个数据块，而不只是结构
help-check-arg-heal-from = 可能含有损坏数据块的完好副本的卷
help-check-arg-renew-settings = 如果仓库的 carryall.toml 损坏或丢失，先重写它；仓库会得到新的标识
help-check-examples =
    # 检查结构
    carryall check
    # 检查全部数据
    carryall check --data
    # 用含有这些数据的光盘修复
    carryall check --data --heal-from /media/cdrom

help-demo = 用真实数据在临时目录里演示全过程：打包、丢失、划伤、接收、比对
help-demo-long = 所需空间约为所搬运内容的四倍。机器上的其他内容都不会被触动。
help-demo-arg-path = 搬运的内容【默认：任何 Linux 机器上都有的内容】
help-demo-examples =
    # 用本机现成的内容
    carryall demo
    # 用自己的目录
    carryall demo ~/photos
    # 各步骤的报告
    carryall demo --json

help-help = 显示命令的帮助
help-help-long = 不写命令时列出全部命令。
help-help-examples =
    # 全部命令
    carryall help
    # 其中一个
    carryall help add
    # 下级命令
    carryall help site list

## 无法理解的命令行

usage-unknown-argument = 没有 { $argument } 这个选项或参数
usage-unknown-command = 没有 { $command } 这个命令
usage-missing = 缺少 { $arguments }
usage-missing-command = 缺少命令
usage-conflict = { $argument } 不能与 { $other } 同时使用
usage-no-equals = { $argument } 与它的值之间要写 =
usage-no-value = { $argument } 后面缺少内容
usage-bad-value = { $argument } 不接受 { $value }：{ $why }
usage-bad-choice = { $argument } 不接受 { $value }：可用 { $allowed }
usage-count = { $argument } 的内容个数不对
usage-not-utf8 = 命令行中有不是 UTF-8 的文字
usage-other = 无法理解这个命令行
usage-did-you-mean = { $message }；是否指 { $meant }？
usage-as-value = { $message }；如果它不是选项，请在前面加上 --
usage-line = 用法：{ $usage }
usage-separator = 、
usage-why-number = 不是整数
usage-why-range = 太小或太大
usage-why-range-of = 应在 { $range } 的范围内
usage-why-no-number = 不是数字
usage-why-percent = 应为 0 到 100
usage-why-release = 应写作 名称:版本 或 名称:版本@架构。名称（最多 96 字节）和版本（最多 64 字节）由任意文字的字母、数字和 . _ - 组成，名称还可含 /，版本还可含 +，每一段都以字母或数字开头；架构（最多 32 字节）由 a 到 z、数字和 . _ - 组成
usage-why-platform = 应写作 系统/架构 或 系统/架构/变体，例如 linux/arm64
usage-why-site = 站点名称由任意文字的字母、数字和 . _ - 组成，以字母或数字开头，最多 64 字节
usage-why-pattern = 通配符长 1 到 4096 字节，不以 / 开头
usage-why-host-map = 应写作 主机=前缀
usage-why-host = { $host } 不是主机
usage-why-path = { $path } 不是仓库路径
usage-why-new-name = 应写作 仓库[:标签]；镜像仓库和前缀已在前面给出
usage-why-repository = 仓库名由 a-z、0-9、. _ - 组成的小写单词以 / 连接而成
usage-why-tag = 标签最多 128 个字母、数字、_ . 和 -
usage-why-digest = @ 之后应为摘要：sha256: 加 64 个十六进制数字
usage-why-reference-host = 第一个 / 之前应为主机：主机[:端口]
usage-why-other = 这里不能这样写
