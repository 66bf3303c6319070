### 简体中文。每条消息都与 en.ftl 中的同名消息对应，参数相同。
###
### 花括号中的名称是参数。命令行中的内容（如 carryall check --data）保持原样。中文之间使用全角标点。

## 行

line-error = 错误：{ $message }
line-hint = 提示：{ $hint }

## 程序本身

stopping = 正在停止；已完成的部分会保留（再按一次 Ctrl-C 立即结束）

## 发现的问题和本机

severity-note = 注意
severity-damage = 损坏
severity-loss = 丢失
finding = { $severity }：{ $subject }：{ $message }
more-findings = ……另有 { $count } 条（-v 可全部显示）
memory-fewer-cores = 注意：此操作最多约需 { $needed } 内存，可用 { $there }：只使用 { $cores } 个核心，耗时更长
memory-short = 注意：此操作最多约需 { $needed } 内存，可用 { $there }：可能不够；请关闭其他程序，或放宽限制（ulimit -v，或容器、服务的限制）

## 进度

task-read = 读取
task-look = 查看
task-pull = 拉取
task-push = 推送
task-compare = 比对
task-compress = 压缩
task-payload = 写入数据
task-seal = 加密
task-wide-parity = 计算跨卷校验
task-local-parity = 计算本卷校验
task-scan = 扫描
task-read-around-errors = 绕过坏扇区读取
task-try-again = 重试坏扇区
task-heal = 修复
task-healing = 修复
task-rebuild = 重建
task-take-over = 入库
task-look-for-wrong-blocks = 查找错误的块
task-check = 检查
task-check-out = 还原
task-sync = 写盘
task-copy = 复制
task-flush = 写盘
task-burn = 刻录
task-read-back = 回读
task-load = 载入

## 列表

list-separator = 、
list-last = { $first } 和 { $last }
list-or = ；或者{" "}
list-sentences = ；
list-facts = ，
volumes = { $count ->
       *[other] 第 { $numbers } 卷
    }

## 增量包、回执和站点

plan-depends-on = 依赖：{ $releases }（接收方必须已有；receive 在写入之前会检查）
plan-depends-on-nothing = 无依赖：接收方没有可利用的数据
plan-fits-all = 适合全部 { $count } 个接收方：约 { $together }；只为其中一个打包时约为：
prerequisite-here = { $name }（{ $id }）已有
prerequisite-damaged = { $name }（{ $id }）在本地已损坏
prerequisite-different = { $name }（{ $id }）在本地内容不同
prerequisite-absent = { $name }（{ $id }）本地没有
prerequisite-set-waits = 正在等待的卷集 { $set } 所依赖的内容也不完整
prerequisite-frames = 卷集 { $set } 的 { $frames } 个帧中缺 { $missing } 个
prerequisites = 依赖仓库里没有的内容：{ $what }
prerequisites-and-chunks = 依赖仓库里没有的内容：{ $what }；缺少 { $count } 个数据块，第一个是 { $first }
set-done-with = 此前不完整的卷集 { $set } 已由此补全，暂存数据已清除
hint-top-up = 请使用所列卷的另一份拷贝；或把 carryall receipt -o 文件 的结果发给供应方：只需一个小包即可补上所缺部分，已读入的内容无需重读
hint-prerequisite = 请先接收它所依赖的发布包，再重新接收这一套（已读入的内容会保留）；或把 carryall receipt 的输出发给供应方
hint-prerequisite-platform = 这一套含有面向 { $archs } 的发布包：加上“--platform linux/架构”就只接收其中一种，也只需要它所依赖的内容
receipt-label = 回执 { $number }（仓库 { $store }）
site-of-another-store = 注意：{ $site } 上次的回执来自另一个仓库；今后以新回执为准
site-is-new = 注意：没有 { $site } 的记录：将打完整包
receiver-unknown-releases = 注意：{ $label }：本仓库没有以下发布包，不予考虑：{ $releases }
receiver-unknown-sets = 注意：{ $label }：以下卷集不是从本仓库打包的，已收到的部分不予考虑：{ $sets }
receipt-of = 仓库 { $store } 的回执：{ $releases }
receipt-of-nothing = 仓库 { $store } 的回执：没有发布包
receipt-lacks = 其中 { $count } 个数据块丢失或损坏：下一个包会补上它所需要的
receipt-set = 卷集 { $set }（{ $releases }）的 { $all } 个帧中已有 { $have } 个：供应方用 pack 发布包 --for 加本回执，即可补上其余部分
receipt-long = 文字共有 { $lines } 行：建议用 -o 文件 写成文件
receipt-written = 已写入 { $path }；供应方：carryall pack 发布包 --for { $path }
receipt-typed = 可口述或手工输入；供应方：carryall pack 发布包 --for "各行"
burn-next-disc = 请取出光盘，放入空白盘，用于第 { $no } 卷（共 { $count } 卷）
burn-no-disc = 光驱里没有光盘，或光驱认不出它：请放入空白盘，用于第 { $no } 卷（共 { $count } 卷）
burn-used = 这张盘已写过，且不可擦除：请放入空白盘，用于第 { $no } 卷（共 { $count } 卷）
burn-holds-set = 这张盘上是 { $title } 的一卷：输入 erase 或“擦除”再回车，将擦除它并刻录第 { $no } 卷（共 { $count } 卷）；要保留它，请换一张盘，再按回车键
burn-holds-data = 这张盘上有内容：输入 erase 或“擦除”再回车，将擦除它并刻录第 { $no } 卷（共 { $count } 卷）；要保留它，请换一张盘，再按回车键
burn-too-small = 这张盘只能装 { $room }，而第 { $no } 卷（共 { $count } 卷）需要 { $needed }：请放入更大的空白盘
burn-failed = 刻录失败（{ $said }）：请另放一张空白盘，用于第 { $no } 卷（共 { $count } 卷）
burn-bad = 坏盘：至少有 { $bad } 与原卷不符或读不出：请做好坏盘标记，另放一张空白盘，用于第 { $no } 卷（共 { $count } 卷）
burn-reload = 请把托盘推回去：要回读光盘
burn-answers = 回车键：继续；s：跳过这一卷；q：停止
burn-remembered = { $title }（卷集 { $set }）：第 { $no } 卷，共 { $count } 卷：以前已刻好，不再刻录
burn-writing = { $title }（卷集 { $set }）：第 { $no } 卷，共 { $count } 卷：正在 { $device } 中刻录（{ $kind }）
burn-reading-back = 正在从光盘回读
burn-on-disc = { $title }（卷集 { $set }）：第 { $no } 卷，共 { $count } 卷：已在这张盘上
burn-good = 第 { $no } 卷，共 { $count } 卷：完好，全部内容已从光盘回读核对；请贴标签
burn-broken-off = 第 { $no } 卷，共 { $count } 卷：刻录中断：一次性光盘已作废，可擦写光盘还能再用；以前确认完好的各卷都已记下
burned-good = { $title }：第 { $no } 卷，共 { $count } 卷：完好
burned-bad = { $title }：第 { $no } 卷，共 { $count } 卷：没有刻出好盘
burned-not = { $title }：第 { $no } 卷，共 { $count } 卷：未刻录
burned-rest = 再执行同一条命令即可刻录其余各卷，已刻好的不会重刻
labels-written = { $path }：{ $count } 卷的标签；请用浏览器打开，用 A4 纸按 100 % 打印
receipt-picture = 二维码图片：{ $path }
receipt-picture-of = 第 { $number } 个二维码（共 { $count } 个）：{ $path }
receipt-photographed = 可拍照，或把图片发出；手机从各个二维码读出的文字，依次连在一起就是回执；供应方：carryall pack 发布包 --for "文字"
receipt-code-of = 第 { $number } 个二维码，共 { $count } 个：各个二维码的文字依次连在一起，就是回执
receipt-code-next = 第 { $number } 个二维码，共 { $count } 个：拍照后按回车键显示下一个
receipt-too-long = 太长，不便手工输入：请用 -o 文件 写成文件
site-none = 没有站点记录：打包时用 --site 名称
site-nothing = 无
site-noted = 最近记录于 { $day }
site-next = { $releases } 给它约需 { $carried }
site-next-nothing = 它已有 { $releases } 的全部内容
fleet-has-all = { $name }  已全部具备
fleet-site = { $name }  约 { $carried }，{ $volumes } 个数据卷
fleet-nothing = 各站点都已具备，无需打包
fleet-together = 打一套，复制 { $copies } 份：合计约 { $carried }，{ $volumes } 个数据卷
fleet-apart = 每个站点各打一套（{ $sets } 套）：合计约 { $carried }，{ $volumes } 个数据卷
fleet-as-one = 打一套即可：卷数不多，数据量相差无几，只需制作一次
fleet-as-many = 各打一套，要携带的更少
fleet-set = 给 { $names }：
site-without-receipt = { $name }  尚无回执；上次打包：{ $packed }
site-has = { $name }  已有 { $has }（仓库 { $store }）；上次打包：{ $packed }
site-has-and-lacks = { $name }  已有 { $has }（仓库 { $store }，{ $count } 个数据块丢失或损坏）；上次打包：{ $packed }
site-forgotten = 已删除 { $site } 的记录

## 数量

count-releases = { $count } 个发布包
count-items = { $count } 项
count-entries = { $count } 个条目
count-files = { $digits } 个文件
count-one-file = 1 个文件

## 仓库和发布包

store-created = 已在 { $dir } 创建仓库
settings-whole = carryall.toml 完好，保持不变
settings-renewed = 已重写 carryall.toml，仓库标识现为 { $id }
settings-renewed-aside = 已重写 carryall.toml，仓库标识现为 { $id }；损坏的文件已改名为 { $aside }
store-is-empty = 仓库里还没有发布包：carryall add 名称:版本 路径...
item-added = 已添加
item-replaced = 已替换
item-kept = 保留
item-whole = 完好
item-damaged = 已损坏
item-lost = 已丢失
added = { $release }：已添加并比对 { $total }，其中新数据 { $new }（入库 { $stored }），已有 { $known }
streams-opened = 已打开 { $count } 个压缩流：{ $packed } 解开为 { $plain }，重建信息 { $recipes }
streams-writer = { $writer }：{ $count } 个，{ $total }
streams-kept = { $count } 个保持原样，{ $total }：{ $why }
show-opened = { $count } 个压缩流已打开保存：{ $packed } 解开为 { $plain }，重建信息 { $recipes }
show-kept = 保持原样：{ $total }  { $hash }  位于 { $place }：{ $why }
kept-for-newer-reason = 原因只有更新版本的 carryall 知道
kept-corrupt = 数据损坏
kept-truncated = 不完整
kept-recipe = 压缩程序未知，重建信息过大
kept-limit = 解开后过大
kept-time = 解开太慢
kept-changed = 无法原样重建
kept-space = 没有空间解开
kept-small = 太小，没有收益
kept-deep = 嵌套过深
kept-effort = 未逐一尝试：同一项目中此前已有太多流解不开（--open-seconds-per-gb 0 会全部尝试）
kept-zstd = zstd 压缩，压缩程序未知
kept-bzip2 = bzip2 压缩，添加时尚不支持打开
kept-lz4 = lz4 压缩，压缩程序未知
kept-seven-zip = 7-Zip 压缩包，不会打开
kept-rar = RAR 压缩包，不会打开
kept-encrypted = zip 中的加密文件
kept-zip-method = zip 中的文件未使用 deflate 压缩
show-release = { $name }  { $items }，{ $total }，{ $chunks } 个数据块
show-id = 标识 { $id }
diff-item = { $total }，新增 { $new }
diff-total = { $to } 比 { $from } 多出 { $new }，共 { $chunks } 个数据块；打包后最多约 { $packed }
check-reads-only = 注意：只读检查：另一个进程正在写入该仓库，或仓库为只读；不修复，也不记录任何内容
removed = { $release } 已从仓库移除；运行 carryall prune 释放空间
removed-unread = { $release } 无法读取，已从仓库移除；其他发布包需要的数据保留，运行 carryall prune 释放其余空间
copied = { $release }：已复制
copied-before = { $release }：对方已有
copied-damaged = { $release }：未复制，以下条目在本仓库中已损坏：{ $items }
copied-root-damaged = { $release }：未复制，它的根或条目列表在本仓库中已损坏
copied-damaged-hint = 其余内容都已写入对方仓库，在对方下一次 prune 之前一直保留。请用 carryall check --data --heal-from 卷 修复本仓库，或先运行 carryall check --data，再用 carryall add 重新添加同样的条目，然后再次运行同一命令
copied-total = { $to } 新增 { $new }，占用 { $stored }
pruned = 已释放 { $freed }：删除 { $removed } 个数据包，重写 { $rewritten } 个；仓库现有 { $now }
pruned-marked = { $packs } 个数据包（{ $size }）已作标记；宽限期过后，如果仍没有发布包需要，下一次 prune 会将其删除
pruned-ready = 留存备用的压缩层和压缩文件：{ $left }
pruned-ready-dropped = 留存备用的压缩层和压缩文件：已删除 { $dropped }，剩余 { $left }
kept-ready = 已留存备用的压缩层和压缩文件：{ $size }（运行 carryall prune --ready 可释放空间）
check-root-damaged = { $release }：发布包的根记录或项目清单已损坏，无法还原
check-items-damaged = { $release }：以下项目无法完整还原：{ $items }
check-structure = 结构
check-data = 全部数据
check-clean = 一切正常
check-releases-lost = { $count } 个发布包无法完整还原；请重新接收或重新添加
check-not-all-read = 有部分内容无法读取，情况不明；其余部分未发现损坏
check-copies-damaged = 发布包没有丢失数据；运行 carryall prune 可清除损坏的副本
check-chunks-lost = 丢失 { $count } 个数据块；请重新添加，或运行 carryall check --heal-from 卷
checked = 已检查{ $looked }：{ $releases }，{ $packs } 个数据包，{ $total }：{ $verdict }
checked-healed = 已检查{ $looked }：{ $releases }，{ $packs } 个数据包，{ $total }，已修复 { $healed } 个数据块：{ $verdict }
checked-out = { $release }：已写入 { $dest }，共 { $total }，逐字节校验通过
checked-out-in-part = { $release }：部分内容无法还原；能还原的在 { $dest }（完整项目共 { $total }）

## 正在接收的卷集

set-name = 卷集 { $id }
set-title = { $title }（卷集 { $id }）
receive-volume = { $name }：第 { $number } 卷（共 { $all } 卷）：{ $state }；{ $new }
receive-all-blocks = 全部块完好
receive-known-blocks = 已识别，{ $blocks } 块中有 { $known } 块已知，无需读取
receive-bad-blocks = { $blocks } 块中有 { $bad } 块损坏或缺失，读出全部内容的 { $percent } %
receive-set-is-in = 该套卷先前已入库
receive-read-before = 先前已读入
receive-new = 新读入
receive-wrong-blocks = { $volumes }上有校验值正确但内容错误的块，已用正确的块代替；该拷贝被改动过，请单独保存
receive-doubtful = { $volumes }的校验值正确，但内容与打包时不同：需要另一份拷贝
receive-beside = 注意：它只是与已完整的内容同在一个介质上；如不需要：carryall forget { $id }
receive-room = 空间：整套最多还需要 { $needed }，可用 { $free }
receive-no-room = 空间：整套最多还需要 { $needed }，可用仅 { $free }：请在读入最后一卷之前腾出空间
receive-no-volume = 注意：{ $path } 中没有 carryall 卷
receive-refused = 注意：等待的卷集过多，另有 { $count } 套未开始接收：请看 carryall status，用 carryall forget 卷集 放弃不需要的
receive-left-out = 未接收（不适用于 { $platforms }）：{ $releases }；以后不加 --platform 运行 receive，可从同样的卷接收
receive-among-the-rest = 所需内容与其余内容混在一起：{ $all } 中仍须读取 { $needed }
receive-complete = { $release }：接收完成（{ $facts }；卷集 { $id }）。还原命令：carryall checkout { $release } 目标目录
receive-healed = 修复 { $blocks } 块
receive-helped = 与已收到的卷集 { $sets } 的内容合并补全
receive-set-refused = 不予接收：{ $why }
receive-replaced = 替换了内容不同的同名发布包
receive-not-asked = { $name }：没有适用于该平台的内容
receive-already-here = { $name }：仓库中已有，无需操作
receive-finish = { $name }：所需数据已齐；再用其中任意一卷运行 carryall receive 即可完成
receive-needs-volumes = { $name }（{ $data } 个数据卷，{ $spare } 个备用卷）：已读入 { $present }；{ $need }
receive-needs-base = { $name }：所需的卷已齐，尚未入库：{ $what }
receive-damaged = { $name }：损坏程度超出手头材料所能恢复的范围
forget-nothing = 没有正在接收的卷集，无需放弃
forget-set = 卷集 { $id } { $title }：已放弃，释放 { $freed }；以后仍可重新接收它的卷
hint-waiting = 用所列的卷运行 carryall receive 路径 即可继续；carryall forget 卷集（卷集号或本列表中的序号）可放弃一套
status = 仓库 { $store }（{ $id }）：{ $releases }，可用 { $free }，正在接收 { $sets } 套卷

## 现场单光驱接收

visit-drive = { $path }（{ $model }）
visit-first = 请把这批光盘中的任意一卷放入 { $drive }，并关上托盘。
visit-keys-first = 放入光盘后会自动识别。也可以输入：直接回车，重新检查；q 回车，到此为止（已读内容不会丢失）。
visit-keys = 放入光盘后会自动识别。也可以输入：m 回车，表示没有第 { $volume } 卷；直接回车，重新检查；q 回车，到此为止（已读内容不会丢失）。
visit-insert = 下一步：请把 { $name } 的第 { $volume } 卷（共 { $all } 卷）放入 { $drive }：{ $why }。
visit-why-rest = 上次没有读完
visit-why-data = 它是数据卷，{ $needed ->
        [one] 只差这一卷
       *[other] 还需要 { $needed } 卷
    }
visit-why-spare = 它是备用卷，用来代替缺少或损坏的部分，{ $needed ->
        [one] 只差这一卷
       *[other] 还需要 { $needed } 卷
    }
visit-why-not-enough = 剩下的卷全部读入也不够，但每读一卷，需要补发的就少一些
visit-insert-base = 下一步：请把 { $name } 所依赖的发布包的光盘放入 { $drive }。
visit-insert-top-up = 下一步：请把补发盘，或 { $name } 中损坏、缺少的卷的另一份拷贝放入 { $drive }。也可以先离开：已读内容无需重读。
visit-insert-a-disc = { $drive } 中没有光盘：放入后自动继续，按 Ctrl-C 结束。
visit-busy = 光驱正在识别光盘。
visit-disc-needed = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷）。
visit-disc-rest = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷），从上次中断处继续读。
visit-disc-again = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷），上次读出时有损坏；现在再试仍未读出的部分。
visit-disc-done = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷），已不再需要其中的内容。
visit-disc-received = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷），这一套已经入库。
visit-disc-other-set = 这是 { $name } 的第 { $volume } 卷（共 { $all } 卷），不属于正在接收的这一套。
visit-ask-other = 也要接收 { $name } 吗？输入 y（是）或 n（否）后回车：
visit-disc-unknown = 这张盘可读出的太少，无法识别；现在通读整张盘。
visit-out-open = 托盘已打开，请取出光盘。
visit-out-closed = 请取出光盘。
visit-missing = 没有第 { $volume } 卷：不再索要。以后找到了，直接放入即可。
visit-unclear = 未执行任何操作：请输入下面列出的字母后回车。
visit-top-up = 已没有别的卷能补全 { $name }。所缺内容可由供应方用一张小小的补发盘补齐：
visit-top-up-copy = 或者找到{ $volumes }的另一份拷贝；换一台光驱也可能读得出来
visit-top-up-missing = 或者找到先前说没有的{ $volumes }
visit-top-up-file = 请把这个文件发给供应方：{ $file }
visit-top-up-lines = 或者念出、手抄以下各行：
visit-top-up-code = 或者用手机拍下这个二维码：
visit-top-up-picture = 或者把这张二维码图片发过去，手机即可识别：{ $file }
visit-received = { $release } 已完整入库。下一步，任选其一：
visit-next-files = 取出文件：carryall checkout { $release } 目标目录
visit-next-load = 镜像载入 docker 或 containerd：carryall load { $release }
visit-next-push = 镜像推送到镜像仓库：carryall push { $release } 镜像仓库
visit-waits = { $name } 尚不完整；{ $need }
visit-later = 已读内容都已保存。再次运行 carryall visit 即可继续。
visit-no-history = 还没有接收记录
visit-log = { $at }  { $name }：{ $what }
visit-log-read = 第 { $volume } 卷在 { $drive } 读出，用时 { $seconds } 秒：{ $blocks } 块中有 { $bad } 块损坏，读出全部内容的 { $percent } %
visit-log-missing = 没有第 { $volume } 卷
visit-log-received = 接收完成：{ $releases }，修复 { $blocks } 块
visit-log-top-up = 补发用的回执：{ $file }

## 计划、卷和手头的材料

plan-alone = 未写入任何内容
plan-disk = 一个足够大的盘
plan-medium = 介质 { $size }
plan = 计划：{ $releases }（{ $original }）压缩为 { $payload }，写入 { $total } 卷，每卷 { $size }（{ $medium }）：{ $data } 个数据卷，{ $spare } 个备用卷
plan-bare = 计划：{ $releases }（{ $original }）压缩为 { $payload }，写成一个文件，不分卷，不带校验数据
plan-guaranteed-loss = 保证：任意 { $spare } 卷丢失均可恢复；或在一卷不丢时，每卷同时有一处 { $burst } 的连续损坏也可恢复
plan-guaranteed-burst = 保证：单卷自身可修复一处 { $burst } 的连续损坏（本卷校验 { $percent } %，用满剩余空间）
plan-likely = 大概率（99 %）：丢失 { $lost } 卷且其余卷有 { $percent } % 的分散坏扇区
plan-likely-alone = 大概率（99 %）：{ $percent } % 的分散坏扇区
plan-remake = 在现场：需要重新生成 { $size } 的压缩数据以便核对，receive 约需单核 { $minutes } 分钟，取出时还需同样的时间
plan-date = 卷上的日期：{ $date }
plan-signed = 签名密钥 { $id }，指纹 { $fingerprint }
plan-sealed = { $whom }：名称和内容都不在外部出现。同一卷集无法再次生成，请保留这些卷，直到全部送达
plan-program = 每卷附带程序：{ $file }（{ $machine }），{ $size }，SHA-256 { $sha256 }
plan-program-guides = 并附中英文操作手册，每卷共占 { $size }
plan-program-not-static = 卷上不附带程序：当前程序依赖本机的系统库；静态程序没有这个限制（--program 文件）
plan-program-no-room = 卷上不附带程序：否则要多用一卷，或占去每卷太多空间（加 --with-program 则一定附带）
plan-program-unreadable = 卷上不附带程序：读不到程序文件（可用 --program 文件 指定）
plan-space = 空间：需要 { $needed }，可用 { $free }
plan-space-needed = 空间：需要 { $needed }
packed-volume = { $path }  标签：{ $title }，卷集 { $set }，第 { $number } 卷，共 { $total } 卷
packed-sealed-title = sealed（已加密）
packed-spare = { $path }  标签：{ $title }，卷集 { $set }，第 { $number } 卷，共 { $total } 卷，备用
packed = 卷集 { $set } 的 { $count } 卷已写入 { $to }。请将每卷写到各自的介质，再核对实际写入的内容：carryall verify 路径
packed-bare = { $path }：卷集 { $set } 已写成一个 { $size } 的文件。它不能自行修复：接收时会指出每一处错误，届时需要重新传送该文件。核对副本：carryall verify 文件
set-without-title = 无标题卷集
set-line = { $title }（卷集 { $id }）：{ $data } 个数据卷和 { $spare } 个备用卷，每卷 { $size }
set-at-hand = 手头有：{ $volumes }；由 { $by } 写入；是否完好请用 carryall verify 检查
sealed-for-recipients = 已加密，{ $count ->
   *[other] { $count } 个接收者
}可解开（age，X25519）
sealed-with-passphrase = 已用口令加密（age）
sealed-for-others = 已加密，加密方式为本程序所不识
signed-trusted = 由 { $name } 签名（密钥 { $id }）：{ $comment }
signed-stranger = 由密钥 { $id } 签名，但本站点不信任该密钥（指纹 { $fingerprint }）：{ $comment }
signed-wrong = { $count } 个签名无效：不是对本卷集的签名，或不是所注密钥签的
signed-unknown = { $count } 个签名的算法本程序不认识
signed-not = 没有签名
key-made = 私钥在 { $secret }，公钥在 { $public }
key-without-password = 私钥没有口令保护：谁能读到这个文件，谁就能签名
key-made-next = 请将私钥及其备份保存在他人接触不到的地方；把 { $public } 交给各站点，并在电话中告知指纹
key-id = 密钥 { $id }
key-fingerprint = 指纹 { $fingerprint }
key-line = { $key }
key-ask-new = 新密钥的口令：
key-ask-again = 请再输入一次：
key-ask = { $path } 的口令：
seal-ask-new = 加密用的口令：
seal-ask = 解密用的口令：
trust-added = 从现在起接收由 { $name } 签名的卷集
trust-check = 接收任何内容之前，请先打电话与发送方核对指纹
trust-removed = 不再信任 { $name }（密钥 { $id }）；{ $left ->
        [0] 已没有受信任的密钥，任何人制作的卷集都会接收
       *[other] 还有 { $left } 个受信任的密钥
    }
trust-key = { $name }  密钥 { $id }  指纹 { $fingerprint }
trust-nobody = 没有受信任的密钥：任何人制作的卷集都会接收（carryall trust add 密钥）
trust-required = 没有可信签名的卷集一律拒收，加 --unsigned 也不行
trust-images-added = 今后由 { $name } 签名的镜像视为有签名
trust-images-added-for = 今后由 { $name } 签名、名称符合 { $images } 的镜像视为有签名
trust-images-hash = { $algorithm }，SHA-256 { $sha256 }
trust-images-check = 请打电话与供应方核对 SHA-256：openssl pkey -pubin -in 文件 -outform DER | sha256sum
trust-images-removed = 不再信任 { $name }（SHA-256 { $sha256 }）对镜像的签名
trust-images-key = { $name }  用于镜像  { $algorithm }  SHA-256 { $sha256 }
trust-images-key-for = { $name }  用于名称符合 { $images } 的镜像  { $algorithm }  SHA-256 { $sha256 }
history-line = { $no }  { $at }  { $what }：{ $names }
history-replaced = { $name }（替换了原有的不同内容）
history-more = 另有 { $count } 个
history-set = 卷集 { $id }
history-signed = 由 { $name } 签名（密钥 { $id }）
history-signed-stranger = 签名密钥 { $id } 当时在这里不受信任
history-site = 发往站点 { $site }
history-from = 来自 { $places }
history-to = 去向 { $place }
history-not-whole = 并非全部完好
history-by = 操作用户 { $uid }，主机 { $host }
history-receive = 接收
history-visit = 逐盘接收
history-add = 添加
history-pull = 拉取
history-copy = 复制
history-pack = 打包
history-checkout = 还原
history-install = 安装
history-push = 推送
history-load = 载入
history-remove = 删除
history-other = 本版本不认识的操作
history-empty = 没有记录
history-written = { $count } 行记录已写入 { $path }
history-last = 最后一行是第 { $no } 行，SHA-256 为 { $hash }；把它另存一处，以后就能证明此前的记录没有被改动
history-hint = 仓库的内容不受影响：carryall check --data 可查明是否完好。请保留仓库中 history 目录的副本，供追查使用；移走该目录后，会开始新的记录
report-written = 报告：{ $path }
report-written-signed = 报告：{ $path }，签名：{ $signature }
report-title-verify = 介质检查报告
report-title-receive = 介质接收报告
report-title-visit = 逐盘接收报告
report-outcome-done = 已完成，所要的内容全部完好。
report-outcome-damage = 已完成，但仍有损坏。
report-outcome-more = 尚未齐全：还需要其他卷或另一个发布包。
report-outcome-failed = 失败。
report-outcome-interrupted = 已中断。本报告只含中断前已知的内容。
report-exit-code = 退出码 { $code }
report-not-known = 不详
report-more = 另有 { $count } 项
report-head-run = 运行情况
report-command = 命令
report-time = 时间（UTC）
report-machine = 主机
report-user = { $host }，操作用户 { $uid }
report-program = 程序
report-program-hash = 程序的 SHA-256
report-store = 仓库
report-history = 收发记录的最后一行
report-history-line = 第 { $no } 行，SHA-256：
report-trusted = 受信任的密钥
report-trusted-keys = { $count ->
        [0] 没有：签名在这里不起作用
       *[other] { $count } 个
    }
report-scanned = 已读
report-unread = 无法读出
report-head-media = 介质
report-no-media = 没有读取介质。
report-medium = 读取位置
report-medium-at = 时间（UTC）
report-medium-device = 设备
report-medium-model = 光驱或磁盘
report-medium-serial = 序列号
report-medium-system = 文件系统
report-usb-serial = USB：
report-volume-serial = 编号：
report-kind-disc = 光驱中的光盘
report-kind-disk = 磁盘
report-kind-folder = 目录
report-kind-file = 文件
report-kind-pipe = 管道
report-head-set = 卷集：{ $name }
report-state = 状态
report-state-whole = 全部完好
report-state-data-whole = 数据全部完好；其他部分有损坏或不在手头
report-state-recoverable = 有损坏，但可以全部恢复
report-state-needs-volumes = 还需要其他卷
report-state-lost = 有损坏，本卷集的任何卷都无法恢复
report-state-received = 已接收：发布包已入库，逐字节校验
report-state-already-here = 发布包先前已在仓库中
report-state-not-asked = 其中没有所要的内容
report-state-needs-base = 已齐全，正等待它所依赖的发布包
report-state-refused = 被本站点拒收
report-state-failed = 无法接收
report-set-id = 卷集号
report-root = 签名所绑定的哈希（BLAKE3）
report-signed = 签名者
report-signed-trusted = { $name }（密钥 { $id }），受本站点信任
report-signed-unknown = 密钥 { $id }；本站点尚未信任任何密钥
report-signed-stranger = 密钥 { $id }，本站点不信任
report-signed-not = 没有签名
report-volumes = 卷
report-volume-count = 数据卷 { $data } 个，备用卷 { $spare } 个
report-why = 原因
report-healed = 修复
report-healed-how = 由本卷的校验数据修复 { $local } 块，由其他卷修复 { $wide } 块，由第二份拷贝修复 { $copied } 块
report-wrong = 哈希正确但内容不对的块
report-head-volumes = 各卷的块
report-volume = 卷
report-volume-kind = 类别
report-volume-data = 数据卷
report-volume-spare = 备用卷
report-volume-away = 未读
report-blocks = 块数
report-blocks-whole = 完好
report-blocks-bad = 损坏
report-by-copy = 由拷贝修复
report-by-own-parity = 由本卷校验修复
report-by-others = 由其他卷修复
report-by-nothing = 无法修复
report-bad-stretches = 第 { $number } 卷的损坏块：{ $blocks }
report-head-releases = 发布包
report-release-id = 标识
report-head-lost = 丢失的项目
report-head-findings = 其他问题
report-no-findings = 没有。
report-head-hand = 签字
report-hand-done = 操作人
report-hand-checked = 核对人
report-hand-date = 日期
report-hand-signature = 签字
report-file-signed = 本报告的文件已用密钥 { $id } 签名（{ $algorithm }，指纹 { $fingerprint }），签名是旁边的另一个文件。
report-file-not-signed = 本报告的文件没有签名。
report-written-by = 由 { $by } 于 { $at }（UTC）写成。
volumes-away = { $volumes }：不在手头
volume = 第 { $number } 卷：{ $state }
volume-spare = 第 { $number } 卷（备用）：{ $state }
volume-whole = 完好
volume-bad = { $blocks } 块中 { $bad } 块损坏（{ $percent } %）：{ $local } 块可自行修复，{ $wide } 块可由整套修复，{ $missing } 块不能
verdict-whole = 所有卷完好
verdict-data-whole = 数据完好；损坏或缺少的部分不影响接收
verdict-recoverable = 可全部恢复：receive 会自动修复，repair 可重做新盘
verdict-at-hand-whole = 手头的卷完好；要凑齐整套，{ $needed }
at-hand-whole = 手头的{ $volumes }完好；未检查同一套的其他卷
at-hand-not-whole = 不完好：{ $volumes }；请重新写入，再检查一次
verify-no-volume = { $path } 中没有 carryall 卷
verify-unread = 有 { $size } 无法读取；换一台光驱也许能读出更多
needs = 还需要：{ $what }
needs-any = 还需要：{ $volumes }中的任意 { $least } 卷
needs-rest = { $volumes }未读完的部分
needs-only-rest = 其中{ $volumes }上次没有读完，只缺其余部分
needs-copy = 再有一份{ $volumes }的拷贝也有帮助
lost = 再有一份{ $damaged }的拷贝会有帮助：换光驱读取、用 ddrescue 读成映像，或请发送方重刻；多份拷贝会合并使用
lost-for-good = 即使加上{ $more }也不能补全；再有一份{ $damaged }的拷贝会有帮助：换光驱读取、用 ddrescue 读成映像，或请发送方重刻；多份拷贝会合并使用
lost-item = 不完整：{ $item }
map-written = 损坏分布图：{ $path }
nothing-to-repair = 所有卷完好，无需修复
rebuilt = 第 { $number } 卷已重建：{ $path }
not-rebuilt = 手头的材料无法重建{ $volumes }

## 镜像和应用包

count-images = { $count } 个镜像
count-components = { $count } 个组件
count-plugins = { $count } 个插件
count-package-repositories = { $count } 个软件源
count-packages = { $count } 个软件包
package-repository = { $kind } 软件源 { $place }：{ $count }，{ $size }
heading-repository-packages = 软件源中的软件包：
diff-package = { $size }，打包后约 { $packed }
images = 镜像：{ $count } 个，去除共享部分后 { $own }
image = { $name }  { $platform }  { $layers } 层 { $total }（独有 { $own }）  { $digest }
image-without-name = （无名称）
image-more-names = { $first } 等，另有 { $more } 个名称
attachments = 镜像的附属对象：{ $count } 个（取出：carryall checkout { $release } 目标 --as attachments）
attachment = { $kind }  { $what }  属于 { $image }
attachment-signature = 签名
attachment-sbom = SBOM
attachment-provenance = 构建来源
attachment-statement = 声明
attachment-other = 其他
attachments-out = { $release }：{ $count } 个附属对象，{ $total }，已写入 { $dest }，摘要全部核对；清单见 attachments.json
documents = 文件中的 SBOM 等：{ $count } 个
signatures = 签名：{ $count } 个镜像中有 { $verified } 个由本站点信任的镜像密钥签名（共 { $keys } 个密钥）
signatures-cut = 签名太多，其余未读
signatures-no-key = 本站点没有用于镜像的受信任密钥：carryall trust add cosign.pub --images
signatures-no-network = 未使用网络：没有查询证书和透明日志
standing-verified = 由 { $names } 签名
standing-verified-index = 由 { $names } 签名（签的是索引 { $index }）
standing-other-name = 由受信任的密钥签名，但该密钥不用于这个名称的镜像
standing-wrong = 没有有效签名：附带的签名不是对这个镜像的
standing-stranger = 签名者不受本站点信任
standing-not-checked = 有签名，但这种形式在此不验证
standing-not-signed = 没有签名
standing-no-manifest = 来时没有清单，而签名签的正是清单
signature-cosign = cosign 签名
signature-bundle = Sigstore 签名包
signature-notation = notation 签名
signature-statement = 声明 { $kind }
signature-statement-unread = 声明
signature-verified = { $what }：由 { $key } 签名
signature-other-name = { $what }：由 { $key } 签名，但该密钥用于别的镜像
signature-copied = { $what }：由 { $key } 签名，但签的是另一个镜像 { $digest }
signature-other-image = { $what }：签的是另一个镜像 { $digest }
signature-wrong = { $what }：注明了受信任的密钥，却不是它签的；内容被人改动过
signature-stranger = { $what }：不是受信任的密钥签的，或内容被改动过
signature-keyless = { $what }：无密钥签名，用的是证书；在此不验证
signature-not-checked = { $what }：在此不验证
signature-unreadable = { $what }：无法读取
heading-images = 镜像：
diff-image = { $all } 层中有 { $new } 层为新，新增 { $size }，打包后约 { $packed }
package = { $item } 中的{ $kind } { $name } { $version }：{ $components }，{ $plugins }，{ $images }
package-template = 应用模板包
package-compose = DockerCompose 包
package-slug = 非容器包
package-helm = Helm 包
package-yaml = Kubernetes YAML 包
package-component = 组件
package-plugin = 插件
form-docker-archive = docker 镜像归档
form-oci-layout = OCI 镜像目录
images-out = { $release }：{ $images }，{ $total }，已写入 { $dest }（{ $form }），摘要全部核对
loaded = { $release }：已用 { $program } 载入 { $images }，{ $total }

## 镜像仓库

count-referrers = { $count } 个签名等附属对象
pulled = 已拉取 { $reference }：{ $what }
pulled-known = { $size }（其中 { $known } 已在本地）
push-pushed = 已推送
push-there = 已存在
push-only-platform = 已推送（仅此平台）
push-refused = 被拒绝（缺少平台）
pushed = { $release }：已向 { $registry } 推送 { $sent } 个数据块，{ $sent_bytes }；{ $there } 个已存在，{ $there_bytes }
hint-push-other-host = 名称只有主机不同的镜像，需要各自的名称：--keep-host 保留主机，--map 主机=前缀 为某个主机指定位置；其余内容已完整进入镜像仓库
hint-push-nameless = 没有名称的镜像可以命名：push ... --image 摘要 --as 名称:标签；其余内容已完整进入镜像仓库
hint-push-left-out = 上面标出的内容没有以其名称进入镜像仓库；其余内容已完整进入
serve-broken-off = 中断：{ $why }
serve-ready = 正在 { $url } 提供 { $images }（Ctrl-C 结束）
serve-packages = { $kind } 软件源：{ $url }（{ $count }）
serve-now = 现在提供 { $images }
serve-docker-certificate = docker：根证书放到 /etc/docker/certs.d/{ $address }/ca.crt
serve-docker-insecure = docker：编辑 /etc/docker/daemon.json，然后运行 systemctl reload docker
log-line-left-out = （日志未能及时读取，已略去 1 行）
log-lines-left-out = （日志未能及时读取，已略去 { $digits } 行）

## 并存的版本，以及保留的发布包

installed = { $release } 已安装到 { $path }（{ $total }）
install-there = { $release } 已在 { $path }
install-in-the-way = 未能沿用，原位置已有其他内容：{ $name }
install-kept = 沿用本地修改：{ $name }
install-kept-beside = 沿用本地修改：{ $name }；发布包自带的内容在 { $beside }
install-shared = { $files }（{ $size }）未改动，与上一版本共用空间
install-switched = { $current } 已从 { $before } 切换过来；退回：carryall rollback { $into }
install-current = { $current } 已指向它
rolled-back = { $current } 已从 { $left } 退回 { $now }
keep = prune --keep-last 将保留 { $release }
keep-no-longer = { $release } 不再特别保留
let-go = 已删除 { $release }
let-go-kept = 保留 { $release }：已用 keep 标记
let-go-awaited = 保留 { $release }：正在接收的卷集依赖它

## 交付包的大小从何而来

heading-items = 项目（新增数据，打包后约）：
heading-kinds = 内容类别：
heading-contributors = 主要来源（新增数据，打包后约）：
more = ……另有 { $count } 项（-v 可全部显示）
weight-folder = { $path }/：{ $files }
weight-rest = { $path }/ 其余：{ $files }
weight-headers = 归档文件头
weight-recipes = 重建信息
weight-tables = 文件与数据清单
weight-all-new = { $files }，均为新增
weight-all-changed = { $files }，均已改动
weight-some-changed = { $files }，其中 { $known } 个已改动
weight-layer = { $image } 第 { $number }/{ $all } 层
estimate = { $releases }：共 { $total }，去重后 { $new }；交付包约 { $packed }
estimate-delta = { $releases }：共 { $total }，其中 { $receivers } 没有的 { $new }；交付包约 { $packed }
kind-meta = 重建信息与清单
kind-tar-headers = 归档文件头
kind-text = 文本
kind-py-cache = 已编译的 Python
kind-elf = { $architecture } 程序
kind-packed = 已压缩的内容
kind-other = 其他
kind-data = JSON 等数据
kind-markup = 标记与样式
kind-c = C 与 C++
kind-java = Java 类
kind-tables = 小型二进制表

## 环境检查与手册页

doctor-program = 程序：carryall { $version }，{ $path }，适用于 { $machine }，{ $size }，SHA-256 { $sha256 }
doctor-program-static = 程序：carryall { $version }，{ $path }，静态，适用于 { $machine }，{ $size }，SHA-256 { $sha256 }
doctor-program-alone = 程序：carryall { $version }
doctor-store = 仓库：{ $path }，可用 { $free }
doctor-store-to-be = 仓库：{ $path }（尚未创建），可用 { $free }
doctor-store-far = 仓库：{ $path }
doctor-temp = 临时文件：{ $path }，可用 { $free }
doctor-memory = 内存：可用 { $size }
doctor-xorriso = 制作镜像：{ $version }
doctor-drive = 光驱：{ $path } { $model }，{ $tray }
doctor-burner = 光驱：{ $path } { $model }，{ $tray }；可刻录 { $kinds }
doctor-locale = 语言：{ $language }，由 { $variable }={ $value } 决定
doctor-locale-unset = 语言：{ $language }，因为 LC_ALL、LC_MESSAGES 和 LANG 都没有设置
tray-open = 托盘已打开
tray-empty = 没有光盘
tray-busy = 正在识别光盘
tray-disc = 有光盘
tray-unknown = 托盘状态未知
advice-store-not-writable = 您无权写入 { $about }
    .hint = 请指定您自己的目录：--store 目录，或 export CARRYALL_STORE=目录
advice-store-unreachable = 无法打开 { $about } 的仓库
    .hint = 运行 carryall list 可查看原因
advice-store-full = { $about } 所在磁盘几乎没有空间
    .hint = 请腾出空间，或指定另一块磁盘上的目录：--store 目录
advice-temp-not-writable = 您无权写入 { $about }
    .hint = 请另指定临时目录：export TMPDIR=目录
advice-temp-full = { $about } 所在磁盘几乎没有空间
    .hint = 请把临时目录指定到另一块磁盘：export TMPDIR=目录
advice-drive-not-readable = 您无权读取光驱
    .hint = 请执行 sudo usermod -aG { $group } "$USER" 后重新登录，或用 sudo 运行命令
advice-little-memory = 内存偏少
    .hint = 各命令会少用几个核；请关闭其他程序，打包时不要用 --effort max
advice-program-not-static = 程序依赖本机的系统库，因此不会附带到卷上
    .hint = 请使用静态程序（用 .ci/dist 编译），或指定一个：pack --program 文件
advice-program-unreadable = 读不到程序自身的文件，因此不会附带到卷上
    .hint = 请指定它：pack --program 文件
advice-xorriso-missing = 没有安装 xorriso，无法制作 .iso 镜像
    .hint = 请执行 apt-get install xorriso 或 dnf install xorriso；写成目录和接收都不需要它
advice-no-drive = 没有光驱
    .hint = 使用光盘时请接上光驱；目录、镜像和 U 盘不需要光驱
advice-no-chinese = 按 { $about } 应显示中文，但这个终端显示不了
    .hint = 请使用支持 UTF-8、带中文字体的终端，或改用英文：export LC_ALL=C
doctor-note = 提示：{ $what }
doctor-missing = 缺少：{ $what }
doctor-usable = 必需的条件都已具备
doctor-not-usable = 缺 { $count } 项必需的条件：请按标有“缺少”的各行处理
man-written = 已把 { $count } 个手册页写入 { $to }；可用 man -l { $to }/zh_CN/man1/carryall.1 查看
man-heading-name = 名称
man-heading-synopsis = 用法
man-heading-description = 说明
man-heading-notes = 附注
man-heading-see-also = 参见

## 演示

demo-begins = 1. 演示搬运 { $given }，临时目录 { $stage }（结束后删除，不动其他内容）
demo-added = 2. 供应方：carryall add demo:1.0 ...   { $total } 存为 { $stored }，已重建并比对
demo-packed = 3. 供应方：carryall pack demo:1.0 --to discs --media ... --spare { $spare }   { $data } 个数据卷和 { $spare } 个备用卷，每卷 { $size }
demo-hurt = 4. 途中：{ $lost } 丢失，其余每卷都有一处连续损坏（共 { $scratched }）
demo-verify = 5. 现场：carryall verify discs
demo-same = 6. 现场：carryall checkout demo:1.0 back   已还原 { $total }：逐字节一致
demo-not-the-same = 6. 现场：carryall checkout demo:1.0 back   已还原 { $total }：不一致
demo-next = 下一步：carryall add 名称:版本 路径...；carryall pack 名称:版本 --to 目录 --media dvd；现场：carryall receive 路径

## 所发现问题的对象

subject-media = 介质
subject-store = 仓库
subject-incoming = 暂存目录
subject-release = 发布包 { $release }
subject-pack = 数据包 { $id }
subject-blob = 文件 { $id }
subject-set = 卷集 { $id }
subject-volume = 卷集 { $set } 第 { $volume_no } 卷

## 发现的问题：卷和介质

finding-volume-senseless-blocks = 有些块的编号构不成任何卷集，已忽略
finding-volume-blocks-of-wrong-kind = 有 { $count } 块标明的类型不对，已忽略
finding-volume-blocks-with-other-numbers = 有 { $count } 块自称属于该卷集，但参数不同，已忽略
finding-volume-blocks-of-no-set = 有 { $count } 块不属于任何卷集，已忽略
finding-volume-blocks-that-do-not-fit = 有 { $count } 块与该卷集不符，已忽略
finding-volume-set-with-other-numbers = 有些块自称属于该卷集，但参数不同；以与其标识相符的为准
finding-volume-sets-made-room = 有 { $count } 套卷的目录一直没有读到，已从最早的开始清除，为其他卷集腾出位置
finding-volume-wrong-blocks = 有些块校验值正确，但内容与打包时不同
finding-media-cannot-be-read = 无法读取：{ $why }
finding-media-cannot-be-opened = 无法打开：{ $why }
finding-media-link-loop = 链接成环
finding-media-link-not-followed = 是符号链接，没有跟随；如果它指向的就是介质，请直接给出所指的路径
finding-media-map-of-no-image = 是 ddrescue 的映射文件，但看不出属于哪个镜像；请只给出一个镜像和它的映射文件，或让两者同名（如 volume2.img 与 volume2.map）
finding-media-tried-again = 还有 { $bytes } 字节（{ $count } 段）未能读出：将重试，最多 { $seconds } 秒（--retry-time）
finding-media-gaps = 有 { $bytes } 字节无法读取，分为 { $count } 段，第一段从偏移 { $offset } 开始
finding-media-joined = 到 { $last } 为止的 { $count } 个分段按一个文件读取
finding-media-pieces-missing = 中间缺 { $count } 个分段；请把它们放到同一目录
finding-media-bare-begin = 该单文件包的开头已损坏，其余内容无法定位；请重新传送该文件
finding-media-bare-changed = { $count ->
   *[other] 该文件有 { $count } 处与打包时不同，第一处为第 { $from } 至 { $to } 字节
}；请重新传送，或同时给出另一份副本：两份中完好的部分都会采用
finding-media-bare-cut = 文件在 { $whole } 字节中的第 { $bytes } 字节处中断；请重新传送，或同时给出另一份副本：两份中完好的部分都会采用
finding-media-raw-sectors = 每扇区 { $bytes } 字节的原始镜像，只读取其中的用户数据
finding-media-in-order = 文件系统中有 { $count } 个文件分段存放，按文件内容的顺序读取
finding-media-text-mode-added = 被当作文本复制：每个换行符前都多了一个回车符；请用二进制方式重新复制
finding-media-text-mode-removed = 被当作文本复制：换行符前的回车符被去掉了；请用二进制方式重新复制
finding-media-unpacked = 是压缩文件（{ $kind }），边读边解压
finding-media-packed = 是打包文件（{ $kind }），无法直接读取其内容；请先解开
finding-media-stream-broken = 解压出 { $bytes } 字节后中断（{ $why }），之后的内容读不出；请重新复制该文件
finding-history-lines-missing = 收发记录缺 { $count } 行（第 { $from } 行至第 { $to } 行）
finding-history-line-misplaced = 收发记录的第 { $no } 行位置不对
finding-history-line-changed = 收发记录的第 { $no } 行或第 { $next } 行被改动过
finding-history-last-line-changed = 收发记录的最后一行（第 { $no } 行）被改动过
finding-history-note-missing = 收发记录丢失了末行标记，末尾可能缺行
finding-history-not-written = 操作已完成，但没有记入收发记录：{ $why }
finding-history-not-read = 无法读取收发记录：{ $why }
finding-pack-set-not-remembered = 没有记下该卷集的内容，以后为它补发时包会更大：{ $why }

## 发现的问题：仓库

finding-store-cannot-be-read-now = 目前无法读取：{ $why }
finding-store-file-damaged = { $why }
finding-store-file-cut-short = 文件被截短
finding-store-index-entries-damaged = 索引条目已损坏
finding-store-index-made-again = { $why }；已根据数据包重建
finding-store-index-to-be-made-again = { $why }；下次写入仓库时会根据数据包重建
finding-store-quarantine-lost = 损坏数据的记录本身已损坏；运行 carryall check --data 可重新生成
finding-store-chunks-lost = 有 { $count } 个需要的数据块没有完好的副本
finding-store-ready-copy-damaged = 留存备用的副本已损坏；需要时会重新生成
finding-store-stream-changed = { $why }
finding-store-no-folder-of-roots = 仓库里有数据包，但存放所有发布包根记录的目录不见了：是否有磁盘没有挂载？
finding-store-release-root-damaged = 根记录已损坏，内容不明：{ $why }；请重新接收，或用 carryall rm { $release } 从仓库移除
finding-store-root-of-another = 它其实是 { $other } 的根记录
finding-pack-file-missing = 文件缺失
finding-pack-file-too-short = 太短，不可能是数据包
finding-pack-file-table-damaged = 目录表已损坏；已逐一查找其中的数据帧
finding-pack-file-frame-damaged = 偏移 { $offset } 处的数据帧已损坏
finding-pack-file-frame-quarantined = 偏移 { $offset } 处的数据帧已损坏，不再使用：{ $why }

## 发现的问题：文件、项目和回执

finding-files-socket-left-out = 是套接字，已略去
finding-files-flags-not-carried = 文件标志（lsattr）不会随发布包传递：{ $flags }
finding-files-more-of-this-kind = 另有 { $count } 处同类情况
finding-files-attributes-withheld = 未给出安全属性和 capabilities，共 { $count } 项（加 --privileged 可恢复）：{ $paths }
finding-files-devices-withheld = 未创建设备文件，共 { $count } 个（加 --privileged 可创建）：{ $paths }
finding-files-owners-withheld = 有 { $count } 个条目未恢复属主（加 --privileged 可恢复）：{ $owners }
finding-files-set-id-withheld = 有 { $count } 个条目未恢复 setuid 或 setgid（加 --privileged 可恢复）：{ $paths }
finding-files-owners-not-restored = 有 { $count } 个条目没有恢复属主：只有 root 才能恢复
finding-files-owner-not-restored = 未能恢复属主：{ $why }
finding-files-mode-not-restored = 未能恢复权限：{ $why }
finding-files-time-not-restored = 未能恢复时间：{ $why }
finding-files-attribute-not-restored = 未能恢复扩展属性 { $name }：{ $why }
finding-files-device-not-made = 未能还原设备文件：只有 root 才能创建
finding-files-not-made = 未能还原：{ $why }
finding-files-file-lost = 该文件已丢失：{ $why }
finding-files-link-lost = 该链接已丢失：硬链接的目标不存在
finding-files-rest-lost = 其中的其余内容已丢失：{ $why }
finding-checkout-item-lost = 该项目已丢失：{ $why }
finding-add-part-kept-as-it-came = 有一部分未能原样重建，已按原样存入：{ $why }
finding-add-item-kept-as-it-came = 未能原样重建，已整体按原样存入：{ $why }
finding-receipt-release-unread = 未列入回执：{ $why }
finding-receipt-lacks-too-much = 未列入回执：缺少 { $count } 个数据块
finding-receipt-full = 未列入回执：回执已满

## 发现的问题：镜像和应用包

finding-image-part = { $what } { $why }
finding-image-config = 配置 { $config }
finding-image-layer = 层 { $layer }
finding-image-not-in-archive = 不在归档中
finding-image-twice-in-archive = 在归档中出现两次，内容不同
finding-image-outside-of-archive = 指向归档之外
finding-image-link-to-nothing = 是没有去处的链接
finding-image-archive-unreadable = 无法展开查看：{ $why }
finding-image-compressed-whole = 整体用 { $with } 压缩，未展开查看：其中有哪些镜像不得而知
finding-image-too-deep = 未展开查看：归档太多，或嵌套太深
finding-image-more-archives = 其中的归档和目录太多，没有全部查看
finding-image-more-files = 文件超过 { $limit } 个：只查看了前面的
finding-image-no-index = index.json 不是镜像索引
finding-image-long-document = { $name } 超过可读取的 4 MiB
finding-image-unreadable-document = { $name } 无法读取：{ $why }
finding-image-long = 超过可读取的 4 MiB
finding-image-cannot-be-read = 无法读取：{ $why }
finding-image-other-length-kept = 有 { $bytes } 字节，而清单写的是 { $said }：摘要正确，照常使用
finding-image-other-length = 有 { $bytes } 字节，而声明的是 { $said } 字节
finding-image-does-not-match = 与摘要不符：实际是 { $found }
finding-image-no-config = 不是镜像配置：{ $why }
finding-image-bad-diff-id = 其中有一个 diff id 不是摘要
finding-image-other-layers-than-archive = 有 { $said } 层，而 manifest.json 里有 { $there } 层
finding-image-other-layers-than-config = 有 { $there } 层，而其配置里有 { $said } 层
finding-image-too-many-indexes = 所在的索引嵌套太深，或清单太多
finding-image-no-digest = 不是摘要
finding-image-no-manifest = 不是清单：{ $why }
finding-image-unknown-manifest = 不是已知类型的清单
finding-image-without-config = 没有配置
finding-image-one-too-many = 未计入：镜像数量超过上限
finding-image-name-of-two = 是两个镜像的名称：{ $first } 和 { $second }
finding-image-lost = 该镜像已丢失：{ $why }
finding-image-name-not-for-docker = docker 不接受这样的名称：镜像仍在，但没有此名称
finding-package-long-metadata = metadata.json 超过可读取的 32 MiB：是否为应用包不得而知
finding-package-and = { $all } 和 { $name }
finding-package-mixed-platforms = 混有多种平台：其中有 { $what } 的组件或镜像
finding-package-image-missing = { $component } 的镜像 { $image } 不在包里
finding-package-twin = 是 { $name } { $version }，但与 { $other } 内容不同：同一版本有两种内容
finding-name-not-for-registries = 的名称不被任何镜像仓库接受：{ $why }
finding-name-none = 镜像 { $image } 没有名称，已略去
finding-name-second = 同一名称和平台有两种内容：采用 { $digest }，另一个已略去
finding-name-second-by-digest = 同一名称有两种内容：采用 { $first }，{ $second } 只能按摘要取用
finding-name-other-host = 去掉主机后与另一个镜像 { $name } 同名：采用后者，此镜像已略去
finding-name-by-host = 按其主机请求时（containerd 即如此）提供；不带主机时，此名称是 { $name }
finding-name-moved = 采用 { $newer } 中的内容；{ $older } 中的 { $digest } 只能按摘要取用
finding-referrer-of-nothing = 所指的 { $digest } 没有以名称出现：已略去
finding-referrer-of-index = 所指的 { $digest } 是全部平台的索引：已随之略去
finding-load-program-not-working = 已安装但不能用：{ $why }；改用 { $other }
finding-load-left-behind = 现有（本次载入或原有）：{ $names }
finding-load-nothing-left-behind = 没有其中任何名称的镜像：没有留下任何内容

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
help-name-file-png = 文件.png
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
help-name-device = 设备
help-name-yyyy-mm-dd = 年-月-日
help-name-ref = 镜像
help-name-registry = 镜像仓库
help-name-host-prefix = 主机=前缀
help-name-address-port = 地址:端口
help-name-shell = SHELL
help-name-glob = 通配符

help-arg-store = 仓库：目录，或 s3://存储桶/前缀【默认：$CARRYALL_STORE，否则为用户数据目录下的 carryall】
help-arg-json = 报告以一个 JSON 文档写到标准输出，进度以 JSON 行写到标准错误
help-arg-quiet = 不显示进度条
help-arg-log = 把运行过程追加到日志文件，出问题时可发回供应方；不含密码【默认：$CARRYALL_LOG，未设置则不记录】
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
help-add-arg-open = 是否解开各种压缩流和归档（如 gzip 和 zip）；解开后，其中的内容再次出现时便能识别
help-add-value-open-auto = 划算时解开
help-add-value-open-none = 全部保持原样
help-add-arg-open-recipe = 重建信息超过压缩流的这个比例时，该流保持原样
help-add-arg-open-seconds-per-gb = 用去 10 秒处理器时间之后，若解开一个流所需的时间超过每 GB 原始数据这么多秒，该流保持原样；0：不限
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
help-show-arg-verify = 用 trust add --images 添加的密钥验证镜像的签名，不使用网络；只要有镜像没有有效签名，退出码就是 3
help-show-examples =
    # 全部内容
    carryall show shop:1.0
    # 一个镜像
    carryall show shop:1.0 --image shop/web
    # 镜像是谁签名的
    carryall show shop:1.0 --verify

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

help-copy = 把发布包复制到另一个仓库，只传对方没有的数据
help-copy-long = 两个仓库都可以是目录，也可以是对象存储中的地址，例如 s3://存储桶/前缀。目标仓库不存在时会自动建立。中断后重新运行同一命令即可继续。不会覆盖任何内容。
help-copy-arg-releases = 发布包
help-copy-arg-to = 目标仓库
help-copy-examples =
    # 上传到对象存储
    carryall copy shop:1.0 shop:1.1 --to s3://releases/team
    # 取回到目录
    carryall copy shop:1.1 --store s3://releases/team --to /srv/carryall
    # 从一个目录复制到另一个目录，例如另一块磁盘上
    carryall copy shop:1.1 --to /mnt/second/carryall

help-prune = 释放没有发布包需要的数据块所占的空间
help-prune-long = 没有发布包需要的数据包会被删除，大部分已无用的数据包会被重写。
help-prune-arg-keep-last = 先移除旧版本：每个名称和架构只留最新的若干个版本，以及用 keep 标记的
help-prune-arg-ready = 连同留存备用的压缩层和压缩文件一起删除；以后需要时会重新生成
help-prune-arg-grace = 仅用于存储桶：数据包作标记后保留多久，例如 12h 或 30d；每次添加、打包和还原都必须在此时间内完成 [默认 7d，或以 carryall.toml 为准]
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
help-pack-arg-bare = 改为写出一个带校验值的文件，不分卷，不带校验数据，用于容量小但不丢数据的通道，例如单向光闸或上传表单。接收、检查和签名与卷相同，但不能自行修复
help-pack-arg-plan = 只显示计划：卷数、备用卷和保证的修复能力。结果准确，耗时与压缩相当，不写入任何内容
help-pack-arg-estimate = 只估算交付包的大小，按项目、镜像和内容类别列出；不写入任何内容
help-pack-arg-media = cd、dvd、dvd-dl、bd、bd-dl、bdxl、usb（一个足够大的盘），或确切容量，例如 8GB；适用于光盘、FAT32 和 exFAT
help-pack-arg-sectors = 介质的确切大小，以 2048 字节的扇区计
help-pack-arg-media-at = 介质已挂载在此：可用空间由其文件系统给出，不论是哪种文件系统
help-pack-arg-since = 不含已有该发布包的接收方所拥有的内容；多次给出时，不含这些接收方都有的内容。A,B：指同时有这两个发布包的接收方
help-pack-arg-receipts = 不含该回执的站点已有的内容：写文件名，或直接写回执文字；多次给出时，不含这些站点都有的内容
help-pack-arg-for-all = 为所有已记住的站点打包：打一套共用或各打一套，取携带量较少的；加 --estimate 则只列出数字
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
help-pack-arg-with-program = 每卷都附带本程序、它的 SHA-256 和操作手册，无论占多少空间【默认：不增加卷数且不超过每卷的 5 % 时附带】
help-pack-arg-without-program = 卷上不附带程序
help-pack-arg-program = 每卷再附带另一个静态程序，例如 arm64 版；可多次给出，每种机器一个
help-pack-arg-sign = 用这个私钥为卷集签名，供信任它的站点核对；可多次给出，由多人签名
help-pack-arg-password-file = 从文件的第一行读取密钥口令【默认：$CARRYALL_KEY_PASSWORD，否则询问】
help-pack-arg-seal-to = 为该 age 接收者（age1...）加密，只有持有其身份密钥的人才能解开；可多次给出。任何人仍可检查和修复各卷
help-pack-arg-recipients-file = 同时为该文件中的接收者加密，每行一个；可多次给出
help-pack-arg-passphrase = 改用口令加密，程序会询问口令
help-pack-arg-passphrase-file = 用文件第一行的口令加密
help-pack-arg-read-back = 写完后从磁盘读回并核对，不使用系统缓存；U 盘等可移动磁盘总会这样做
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
    # 签名，让站点知道是谁做的
    carryall pack shop:1.1 --sign vendor.key --to discs --media dvd

help-inspect = 查看卷里有什么
help-inspect-long = 列出每套卷中的发布包和项目，以及手头有哪些卷。是否完好请用 verify 检查。
help-inspect-arg-paths = 介质、映像、目录或单个数据文件
help-inspect-arg-identity = 用该文件中的 age 身份密钥查看加密的卷集，所有数据卷须在手头；可多次给出
help-inspect-arg-passphrase = 用口令查看加密的卷集，程序会询问口令
help-inspect-arg-passphrase-file = 用文件第一行的口令查看加密的卷集
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
help-verify-arg-report = 留存证据：读了什么、谁签的名、哪里损坏、怎样修复，写成可打印的页面（.html）或文档（.json）；不覆盖已有文件
help-verify-arg-report-key = 用这个私钥给报告签名；除 SM2 密钥外，可用 minisign 核对【默认：$CARRYALL_REPORT_KEY】
help-verify-arg-password-file = 从文件的第一行读取密钥口令【默认：$CARRYALL_KEY_PASSWORD，否则询问】
help-verify-arg-retry-time = 其余内容都读完后，重试坏扇区的最长时间：90s、5m、2h，0 表示不重试
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
help-repair-arg-retry-time = 其余内容都读完后，重试坏扇区的最长时间：90s、5m、2h，0 表示不重试
help-repair-examples =
    # 所有不完好的卷
    carryall repair discs/ --to new
    # 第 3 卷，写成可刻录的映像
    carryall repair discs/ --to new --volume 3 --iso
    # 用 ddrescue 从各张光盘读出的映像
    carryall repair 1.img 2.img 4.img --to new

help-visit = 用一台光驱逐张接收光盘：提示接下来放入哪一卷及原因
help-visit-long = 自动识别放入的光盘，读取需要的内容，打开托盘，再索要下一卷，直到整套读齐。可随时停止，断电也不要紧：下次 visit 从中断处继续。没有别的卷能补全时，生成回执，供应方据此制作补发盘。仍有所缺时，退出码为 4。
help-visit-arg-drive = 光驱，或介质出现的路径，如 /media/cdrom【默认：全部光驱】
help-visit-arg-platform = 只接收适用于该平台的发布包（发布包@架构）和没有写架构的发布包；可多次给出【默认：全部】
help-visit-arg-report = 留存证据：读了什么、谁签的名、哪里损坏、怎样修复，写成可打印的页面（.html）或文档（.json）；不覆盖已有文件
help-visit-arg-report-key = 用这个私钥给报告签名；除 SM2 密钥外，可用 minisign 核对【默认：$CARRYALL_REPORT_KEY】
help-visit-arg-password-file = 从文件的第一行读取密钥口令【默认：$CARRYALL_KEY_PASSWORD，否则询问】
help-visit-arg-retry-time = 一张盘的其余内容都读完后，重试坏扇区的最长时间：90s、5m、2h，0 表示不重试
help-visit-arg-unsigned = 没有本站点信任的签名也接收
help-visit-arg-replace = 会替换已有发布包、早于已接收的卷集，或为别的站点制作的，也接收
help-visit-arg-identity = 用该文件中的 age 身份密钥解开加密的卷集；可多次给出
help-visit-arg-passphrase = 用口令解开加密的卷集，程序会询问口令
help-visit-arg-passphrase-file = 用文件第一行的口令解开加密的卷集
help-visit-arg-to = 需要补发时，存放回执的目录【默认：当前目录】
help-visit-arg-history = 显示哪张盘何时读过、状况如何；不读取任何介质
help-visit-examples =
    # 一台光驱，逐张接收
    carryall visit
    # 用第二台光驱；需要时把回执写到 U 盘
    carryall visit --drive /dev/sr1 --to /media/usb1
    # 查看接收记录
    carryall visit --history
help-receive = 把卷读入仓库：顺序不限，一次一卷或多卷均可，中断后可继续
help-receive-long = 显示还需要哪些卷；一套卷读齐之前，退出码为 4。损坏在这套卷的能力之内自动修复。没有仓库时自动创建。
help-receive-arg-paths = 介质、映像、目录或单个数据文件
help-receive-arg-platform = 只接收适用于该平台的发布包（发布包@架构）和没有写架构的发布包；可多次给出。其他发布包不索要也不入库；以后不加此选项，可从同样的卷接收【默认：全部】
help-receive-arg-report = 留存证据：读了什么、谁签的名、哪里损坏、怎样修复，写成可打印的页面（.html）或文档（.json）；不覆盖已有文件
help-receive-arg-report-key = 用这个私钥给报告签名；除 SM2 密钥外，可用 minisign 核对【默认：$CARRYALL_REPORT_KEY】
help-receive-arg-password-file = 从文件的第一行读取密钥口令【默认：$CARRYALL_KEY_PASSWORD，否则询问】
help-receive-arg-retry-time = 其余内容都读完后，重试坏扇区的最长时间：90s、5m、2h，0 表示不重试
help-receive-arg-unsigned = 没有本站点信任的签名也接收
help-receive-arg-replace = 会替换已有发布包、早于已接收的卷集，或为别的站点制作的，也接收
help-receive-arg-identity = 用该文件中的 age 身份密钥解开加密的卷集；可多次给出。不给 PATH 时，解开等待中的卷集
help-receive-arg-passphrase = 用口令解开加密的卷集，程序会询问口令
help-receive-arg-passphrase-file = 用文件第一行的口令解开加密的卷集
help-receive-examples =
    # 逐张光盘读入
    carryall receive /media/cdrom
    # 一次读入全部映像
    carryall receive discs/
    # 只要本机能运行的
    carryall receive /media/cdrom --platform linux/arm64

help-burn = 逐张刻录各卷，并回读核对每张光盘
help-burn-long = 逐卷要求放入空白盘，先核对容量，再用 xorriso 刻录，然后退盘、重新载入，把光盘与原卷比对，确保读的是光盘而不是缓存。确认完好的会记在卷的旁边，再执行同一条命令只刻录其余各卷。
    退出码：0 全部刻好；3 部分刻好；1 一张也没有刻好。
help-burn-arg-paths = 卷（.iso 镜像或目录），或放着各卷的目录
help-burn-arg-device = 光驱，或 stdio:文件
help-burn-arg-speed = 刻录倍速，例如 4；慢一些往往刻得更好
help-burn-arg-erase = 可擦写光盘上有内容时不再询问，直接擦除
help-burn-arg-again = 以前已刻好的也重新刻录
help-burn-examples =
    # 逐张刻录目录中的所有卷
    carryall burn images/
    # 只刻一卷，低速
    carryall burn images/shop-1.0-1f66bd6b-vol02of05.iso --device /dev/sr1 --speed 4
    # 刻好的也重刻，盘上原有内容直接擦除
    carryall burn images/ --again --erase

help-labels = 生成封套和光盘盘面的标签页，供打印
help-labels-long = 每卷一张 A4 纸，含 125 mm 的封套和 116 mm 的盘面，中英文对照。标签上有发布包、卷集、卷号、数据或备用、日期和二维码，并留有编号、登记和签收栏。
help-labels-arg-paths = 卷（目录、镜像或光驱），或放着各卷的目录
help-labels-arg-to = 标签页文件，已有的标签页会被替换【默认：labels-卷集编号.html】
help-labels-arg-number = 介质在本单位台账中的编号：每张为此文字加短横和卷号
help-labels-examples =
    # 目录中的所有卷
    carryall labels discs/
    # 编号为 MR-2026-17-1、MR-2026-17-2 等
    carryall labels discs/ --number MR-2026-17 --to labels.html
    # 单独一卷
    carryall labels discs/shop-1.0-1f66bd6b-vol02of05

help-receipt = 用几十个字节说明本仓库有什么，供应方据此只发所缺的内容
help-receipt-long = 供应方用 pack --for 读取回执。回执含有发布包的标识，以及丢失或损坏的数据块的标识，不含文件名。
help-receipt-arg-out = 写成文件【默认：显示为可手工输入或口述的文字】
help-receipt-arg-png = 把二维码写成图片，可用手机扫描；内容较长时写成几张，文件名为 名称-1of3.png 等
help-receipt-arg-qr = 在终端上显示二维码，较长时逐个显示
help-receipt-examples =
    # 在电话里念给对方
    carryall receipt
    # 写成文件发给对方
    carryall receipt -o plant-7.receipt
    # 文件不能带出机房时，拍照带走
    carryall receipt --qr
    # 供脚本使用
    carryall receipt --json

help-key = 生成密钥，供 pack --sign 为卷集签名
help-key-long = 密钥和签名与 minisign 通用。私钥留在发送方，公钥交给各站点，由站点设为信任。
help-key-examples =
    # 生成一对密钥，口令要输入两次
    carryall key new vendor.key
    # 用它为卷集签名
    carryall pack shop:1.0 --sign vendor.key --to discs --media dvd
    # 在电话中要念的内容
    carryall key show vendor.pub
help-key-new = 生成一对密钥
help-key-new-long = 私钥写入所给文件，只有所有者可读；公钥写在它旁边，以 .pub 结尾。不覆盖任何文件。
help-key-new-arg-file = 私钥文件，例如 vendor.key
help-key-new-arg-algorithm = 签名算法
help-key-new-value-algorithm-minisign = Ed25519，可用 minisign 核对
help-key-new-value-algorithm-sm2 = SM2 与 SM3，不是经认证的密码模块
help-key-new-arg-no-password = 不加密私钥：谁能读到文件，谁就能签名
help-key-new-arg-password-file = 从文件的第一行读取口令【默认：$CARRYALL_KEY_PASSWORD，否则询问两次】
help-key-new-examples =
    # 会询问口令
    carryall key new vendor.key
    # 用于构建服务器，文件另有保护
    carryall key new /etc/carryall/build.key --no-password
    # 口令来自密钥管理系统
    carryall key new build.key --password-file /run/secrets/key
help-key-show = 查看公钥的编号和指纹
help-key-show-long = 编号用来区分密钥，但任何人都能造出任意编号的密钥；要核对的是指纹。
help-key-show-arg-key = 以 .pub 结尾的文件，或其中那一行 56 或 100 个字符
help-key-show-examples =
    # 一个文件
    carryall key show vendor.pub
    # 一行文字
    carryall key show RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3
    # 供脚本使用
    carryall key show vendor.pub --json

help-trust = 设定站点接收谁的卷集
help-trust-long = 信任任意一个密钥之后，就只接收由受信任密钥签名的卷集。密钥保存在仓库的 trust.toml 文件里。
help-trust-examples =
    # 发送方的密钥；请打电话核对指纹
    carryall trust add vendor.pub --name "Example Ltd"
    # 信任了谁
    carryall trust list
    # 其余一律拒收，加 --unsigned 也不行
    carryall trust require
help-trust-add = 从现在起信任一个密钥
help-trust-add-long = 请打电话与发送方核对指纹：随光盘一起来的密钥什么也证明不了。没有仓库时会新建。
help-trust-add-arg-key = 以 .pub 结尾的文件，或其中那一行 56 或 100 个字符
help-trust-add-arg-name = 它在这里的名称【默认：文件名，否则为密钥编号】
help-trust-add-arg-images = 这是给镜像签名的密钥，PEM 格式，如 cosign.pub：show --verify 和 push --require-signed 用它验证，不会因它接收任何卷集
help-trust-add-arg-patterns = 只用于这些名称的镜像：[主机/]仓库，不带标签，* 代表任意字符；可多次给出 【默认：所有镜像】
help-trust-add-examples =
    # 一个文件
    carryall trust add vendor.pub
    # 一行文字，并给出名称
    carryall trust add RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3 --name "Example Ltd"
    # 给镜像签名的密钥，只用于某些名称
    carryall trust add cosign.pub --images --for "registry.example/shop/*"
help-trust-list = 列出受信任的密钥
help-trust-list-long = 每个密钥一行：名称、编号和指纹。
help-trust-list-examples =
    # 全部密钥
    carryall trust list
    # 另一个仓库的密钥
    carryall trust list --store /srv/carryall
    # 供脚本使用
    carryall trust list --json
help-trust-rm = 不再信任一个密钥
help-trust-rm-long = 已经接收的发布包不受影响。最后一个密钥移除后，任何人制作的卷集都会接收。
help-trust-rm-arg-key = 它的名称、编号，或公钥那一行
help-trust-rm-examples =
    # 按名称
    carryall trust rm "Example Ltd"
    # 按编号
    carryall trust rm E7620F1842B4E81F
    # 另一个仓库
    carryall trust rm "Example Ltd" --store /srv/carryall
help-trust-require = 没有可信签名的卷集一律拒收，加 --unsigned 也不行
help-trust-require-long = 仓库中已有的内容不受影响。
help-trust-require-arg-no-longer = 重新允许用 --unsigned 接收这类卷集
help-trust-require-examples =
    # 从现在起
    carryall trust require
    # 取消
    carryall trust require --no-longer
    # 另一个仓库
    carryall trust require --store /srv/carryall

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
help-site-list-arg-next = 按 pack --estimate 的方法，估算把该发布包打给每个站点的增量有多大；可多次给出
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
help-checkout-long = 文件的内容、权限、时间和链接都还原。属主、setuid 和 setgid 位、安全属性和设备文件默认不给出，只列出，加 --privileged 才恢复。仓库中损坏的部分会列出，其余照常还原。
help-checkout-arg-dest = 存放项目的目录；应不存在或为空
help-checkout-arg-item = 只要这个项目；可多次给出
help-checkout-arg-form = 还原的形式：原始项目，或写到“目标”的镜像
help-checkout-arg-privileged = 连同属主、setuid/setgid 位、权能（capabilities）和设备文件一起恢复；需要 root
help-checkout-value-form-original = 全部项目，逐字节还原
help-checkout-value-form-docker-archive = docker、podman、nerdctl、skopeo 能载入的文件
help-checkout-value-form-oci = skopeo、podman、buildah、containerd 能读取的目录，摘要与来时相同
help-checkout-value-form-attachments = 存放镜像附属对象的目录：签名、SBOM 和构建来源，逐字节还原
help-checkout-examples =
    # 全部内容
    carryall checkout shop:1.0 /srv/shop
    # 一个项目
    carryall checkout shop:1.0 out --item web.tar
    # 镜像的 SBOM 和签名
    carryall checkout shop:1.0 papers --as attachments
    # 把一个镜像写成 docker load 能载入的文件
    carryall checkout shop:1.0 web.tar --as docker-archive --image shop/web

help-install = 把发布包装在旧版本旁边并切换过去：目录/releases/版本 和 目录/current
help-install-long = 未改动的文件与上一版本共用空间。现场编辑过的文件会沿用。
help-install-arg-into = 存放各版本的目录；不存在时自动创建
help-install-arg-keep = 由现场编辑的文件，从正在使用的版本沿用：文件名或版本目录下的路径，可用 * 和 ?
help-install-arg-copy = 未改动的文件单独占用空间，不与上一版本共用
help-install-arg-privileged = 连同属主、setuid/setgid 位、权能（capabilities）和设备文件一起恢复；需要 root
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
help-push-arg-require-signed = 只有每个镜像（或列出它的索引）都由 trust add --images 添加的密钥签名才执行，否则不向镜像仓库推送任何内容
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
help-load-arg-require-signed = 只有每个镜像（或列出它的索引）都由 trust add --images 添加的密钥签名才执行，否则不载入任何内容
help-load-examples =
    # 用第一个能用的程序
    carryall load shop:1.0
    # 供 Kubernetes 使用
    carryall load shop:1.0 --with ctr --namespace k8s.io
    # 一个镜像
    carryall load shop:1.0 --image shop/web

help-history = 列出仓库的收发记录：什么时候、谁发来的、发到哪里
help-history-long = 每次接收、添加、打包、还原、安装、推送和载入都会记一行。每行都带有上一行的哈希值，缺行或改动都会报告（退出码 3）。check 也会报告。
help-history-arg-release = 只列某个发布包（如 shop:1.0），或某个名称的全部版本（如 shop）
help-history-arg-csv = 把记录写成电子表格能打开的表，写入一个尚不存在的文件
help-history-examples =
    # 全部记录
    carryall history
    # shop 各版本的记录
    carryall history shop
    # 供审计人员使用
    carryall history --csv history.csv

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

help-doctor = 检查本机是否具备打包、刻录和接收的条件
help-doctor-long = 显示程序及其 SHA-256、空间、内存、光驱、xorriso 和语言，并说明缺少的条件怎么补。缺少必需的条件时退出码为 1。不改动任何内容。
help-doctor-examples =
    # 出发之前，以及到达现场时
    carryall doctor
    # 另一个仓库
    carryall doctor --store /srv/carryall
    # 发回供应方
    carryall doctor --json

help-completions = 打印 bash、zsh、fish 的命令补全脚本
help-completions-long = 其中的说明文字用当前语言。
help-completions-arg-shell = Shell 的名称
help-completions-value-shell-bash = 用于 bash
help-completions-value-shell-elvish = 用于 elvish
help-completions-value-shell-fish = 用于 fish
help-completions-value-shell-powershell = 用于 PowerShell
help-completions-value-shell-zsh = 用于 zsh
help-completions-examples =
    # bash，此后一直有效
    carryall completions bash > ~/.local/share/bash-completion/completions/carryall
    # zsh，写到 $fpath 中的目录
    carryall completions zsh > _carryall
    # fish
    carryall completions fish > ~/.config/fish/completions/carryall.fish

help-man = 写出中英文手册页
help-man-long = 英文页写入该目录下的 man1，中文页写入 zh_CN/man1，与 /usr/share/man 的布局相同。
help-man-arg-to = 存放手册页的目录
help-man-examples =
    # 与程序装在一起
    carryall man --to /usr/local/share/man
    # 写到别处，用 man -l 阅读
    carryall man --to man
    # 列出所有页的路径
    carryall man --to man --json

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

error-usage-unknown-argument = 没有 { $argument } 这个选项或参数
error-usage-unknown-command = 没有 { $command } 这个命令
error-usage-missing-argument = 缺少 { $arguments }
error-usage-no-command = 缺少命令
error-usage-conflict = { $argument } 不能与 { $other } 同时使用
error-usage-no-equals = { $argument } 与它的值之间要写 =
error-usage-no-value = { $argument } 后面缺少内容
error-usage-bad-value = { $argument } 不接受 { $value }：{ $why }
error-usage-bad-choice = { $argument } 不接受 { $value }：可用 { $allowed }
error-usage-value-count = { $argument } 的内容个数不对
error-usage-not-utf8 = 命令行中有不是 UTF-8 的文字
error-usage-other = 无法理解这个命令行
error-usage-meant = 是否指 { $meant }？
error-usage-is-value = 如果它不是选项，请在前面写 --
usage-line = 用法：{ $usage }
usage-why-number = 不是整数
usage-why-range = 太小或太大
usage-why-range-of = 应在 { $range } 的范围内
usage-why-no-number = 不是数字
usage-why-percent = 应为 0 到 100
usage-why-time = 应为 90s、5m、2h 这样的时间，或 0
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

## 错误

error-interrupted = 已中断
    .hint = 重新运行同一命令即可继续
error-other = { $text }

## 系统的回答

error-system-io = { $path }
error-system-other = { $text }
error-system-not-found = 文件或目录不存在
    .hint = 请检查路径：光盘挂载了吗？名称写对了吗？
error-system-permission-denied = 没有权限
    .hint = 当前用户无权读写：ls -ld 可查看权限；光驱需要属于 cdrom 或 disk 组，或用 sudo 以 root 运行
error-system-already-exists = 已经存在
error-system-not-a-directory = 不是目录
    .hint = 路径中有一段是文件而不是目录：请检查路径
error-system-is-a-directory = 是目录，不是文件
    .hint = 这里需要文件，而给出的是目录：请给出其中的文件
error-system-directory-not-empty = 目录不为空
error-system-read-only-filesystem = 文件系统只读
    .hint = 请换一个位置：这里以只读方式挂载（光盘如此，出错的磁盘也会如此）
error-system-storage-full = 磁盘空间已满
    .hint = 请释放空间，或换一个位置；没有留下半成品
error-system-quota-exceeded = 超出磁盘配额
    .hint = 该处的配额已用完：请释放一些，或换一个位置
error-system-file-too-large = 文件超过大小上限
    .hint = 已达到文件大小的限制：请放宽（ulimit -f），或换到其他文件系统（FAT32 单个文件最大 4 GiB）
error-system-resource-busy = 设备或文件正被占用
    .hint = 另一个程序正在使用：请卸载或结束该程序，再运行同一命令
error-system-out-of-memory = 内存不足
    .hint = 读取的内容未被改动；请放宽限制（ulimit -v、ulimit -u，或容器、服务的限制），关闭其他程序，或换内存更大的机器，然后重新运行同一命令
error-system-invalid-filename = 文件名不合法或太长
    .hint = 名称太长，或含有该文件系统不接受的字符：请换一个名称
error-system-unexpected-end = 内容提前结束
error-system-broken-pipe = 接收方已关闭
error-system-crosses-devices = 不在同一文件系统上
error-system-too-many-links = 链接太多
error-system-connection-refused = 连接被拒绝
error-system-connection-reset = 连接中断
error-system-timed-out = 超时
error-system-address-in-use = 地址已被占用
error-system-address-not-available = 本机没有这个地址
error-system-device-error = 读写出错（介质或设备有坏处）
    .hint = 设备出错，dmesg 中有说明：请换驱动器、线缆或接口；如果是写入，请换一个位置
error-system-no-device = 设备不存在或已拔出
    .hint = 介质已取出或拔掉：请重新插入，再运行同一命令
error-system-too-many-open-files = 打开的文件太多
    .hint = 已达到打开文件数的限制：请放宽（ulimit -n 1024）后重新运行同一命令
error-system-link-loop = 符号链接层数太多
error-system-not-supported = 文件系统不支持此操作
error-system-no-medium = 驱动器里没有介质
    .hint = 驱动器是空的，或托盘没有关上：请放入光盘，等驱动器识别后重新运行同一命令
error-system-wrong-medium = 介质类型不对
    .hint = 驱动器是空的，或托盘没有关上：请放入光盘，等驱动器识别后重新运行同一命令
error-system-no-threads = 系统不再为 carryall 提供线程：已达到进程数或内存的限制
    .hint = 读取的内容未被改动；请放宽限制（ulimit -v、ulimit -u，或容器、服务的限制），关闭其他程序，或换内存更大的机器，然后重新运行同一命令
error-program-aborted = carryall 不得不立即终止：系统不再提供内存（上一行另有说明的除外）
    .hint = 读取的内容未被改动；请放宽限制（ulimit -v、ulimit -u，或容器、服务的限制），关闭其他程序，或换内存更大的机器，然后重新运行同一命令
error-program-fault = carryall 程序内部出错，已终止：{ $what }（carryall { $version }，{ $place }，命令：{ $command }）
    .hint = 读取的内容未被改动，仓库保持在上一个完成步骤之前或之后的状态。请把上一行发给 carryall 的维护者；除所显示的内容外，其中不含您的名称

## 空间

error-space-too-little = { $path } 只有 { $free_bytes } 可用空间，需要 { $needed_bytes }
    .hint = 请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层
error-space-too-little-to-add = { $path } 只有 { $free_bytes } 可用空间，至少需要 { $needed_bytes }
    .hint = 请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层
error-space-disk-full = { $path }：磁盘已满；总共大约还需要 { $needed_bytes }，已读入的内容会保留
    .hint = 请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层

## 仓库

error-store-not-a-store = { $path } 不是仓库
    .hint = { $held_in ->
        [bucket] 没有写入任何内容；add、receive 和 copy --to 会在那里自动创建仓库。如果那里本来有仓库：--store 或环境变量 CARRYALL_STORE 中的存储桶和前缀写对了吗？端点（AWS_ENDPOINT_URL、GOOGLE_BASE_URL、AZURE_STORAGE_ENDPOINT）对吗？若 carryall.toml 丢失，请用服务商的工具从旧版本或副本恢复该对象
       *[folder] 请用 --store 目录 或环境变量 CARRYALL_STORE 指定仓库；add 和 receive 会自动创建。如果这里本来有仓库：磁盘挂载了吗？若 carryall.toml 丢失，可运行 carryall check --renew-settings 重写
    }
error-store-already-a-store = { $path } 已经是仓库
error-store-not-empty = { $path } 不是仓库，也不是空目录：里面有 { $entry }
    .hint = 其中的内容未被改动；请用 --store 目录 或环境变量 CARRYALL_STORE（可能设错了）指定一个空目录或新目录。如果这是丢失了 carryall.toml 的仓库，可运行 carryall check --renew-settings 重写
error-store-bad-address = { $place } 不是有效的对象存储地址
    .hint = 请写成 s3://存储桶/前缀、gs://存储桶/前缀 或 az://容器/前缀，只用字母、数字、点、连字符和下划线；如果是目录，请写 ./{ $place }
error-store-prefix-taken = { $place } 不是仓库，也不是空的：其中有 { $entry }
    .hint = 没有写入任何内容；请换一个其下没有对象的前缀。如果仓库是复制过来的，说明 carryall.toml 没有一起复制：请先复制其余部分，最后复制该文件
error-store-no-conditions = { $place } 的服务器不理会 If-None-Match 和 If-Match 条件
    .hint = 没有在那里保留任何内容：两台构建机可能互相覆盖发布。请使用支持条件写入的对象存储，或使用目录中的仓库
error-store-not-in-bucket = 对象存储中的仓库还不支持这一操作：{ $place }
    .hint = 没有改动任何内容；目录中的仓库可以这样做
error-store-maintained = 其他人正在清理 { $place }
    .hint = 请等它结束。如果它已被强行终止，再过 { $minutes } 分钟仍无动静，下一次 prune 会接手
error-store-superseded = 这次清理长时间没有动静，已由其他人接手
    .hint = 没有删除任何还需要的内容，剩下的由对方完成
error-store-pruned-meanwhile = { $release } 需要的数据块在提交之前已被清理：{ $chunks } 个
    .hint = 重新运行同一命令即可，缺少的数据会重新存入。操作耗时较长时，请加长宽限期（prune --grace，或 carryall.toml 中的 grace_hours）
error-store-root-taken = 其他人同时提交了内容不同的 { $release }：现有 { $theirs }，{ $ours } 未提交
    .hint = 对方的发布保持不变。请用 carryall show { $release } 查看，然后重新运行同一命令把内容加进去，或使用另一个版本号
error-store-root-removed = 其他人同时删除了 { $release }，{ $ours } 未提交
    .hint = 重新运行同一命令即可重新建立
error-store-request-failed = 无法{ $action } { $path }
error-store-no-bucket = 存储桶不存在
    .hint = 没有写入任何内容；请用服务商的工具创建存储桶，或更正名称。端点（环境变量 AWS_ENDPOINT_URL、GOOGLE_BASE_URL、AZURE_STORAGE_ENDPOINT）是否正确？
error-store-credentials = 服务器拒绝这些凭据
    .hint = 没有写入任何内容；请把 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY（或 GOOGLE_APPLICATION_CREDENTIALS，或 AZURE_STORAGE_ACCOUNT_NAME 和 AZURE_STORAGE_ACCOUNT_KEY）设为可读写该前缀的凭据，或把 AWS_PROFILE 设为含有凭据的配置。时钟相差几分钟以上也会被拒绝：date -u 可查看
error-store-no-profile = AWS 工具的配置文件中没有名为 { $profile } 的配置
    .hint = 没有写入任何内容；请更正环境变量 AWS_PROFILE，或在 ~/.aws/credentials 或 ~/.aws/config（AWS_SHARED_CREDENTIALS_FILE、AWS_CONFIG_FILE）中加入该配置。aws configure list-profiles 可列出现有的配置
error-store-profile-unsupported = 配置 { $profile } 使用了 { $setting }，不支持以这种方式取得凭据
    .hint = 没有写入任何内容；可用 AWS 的工具把临时凭据写入当前 shell：eval "$(aws configure export-credentials --profile { $profile } --format env)"，然后重新运行同一命令
error-store-profile-file = 无法读取 { $path }：{ $why }
    .hint = 没有写入任何内容；请更正该文件，或用 AWS_CONFIG_FILE、AWS_SHARED_CREDENTIALS_FILE 指定其他文件
error-store-server = { $text }
    .hint = 放弃之前已重试多次；服务器在运行吗？端点（环境变量 AWS_ENDPOINT_URL、GOOGLE_BASE_URL、AZURE_STORAGE_ENDPOINT）是否正确？是否设置了凭据（AWS_ACCESS_KEY_ID、GOOGLE_APPLICATION_CREDENTIALS、AZURE_STORAGE_ACCOUNT_NAME）？可以重新运行同一命令
error-store-below-file = 无法在 { $path } 建立仓库：路径中有一段是文件，不是目录
    .hint = 没有改动任何内容：请用 --store 目录 或环境变量 CARRYALL_STORE 指定其他目录，或先移走该文件
error-store-linked = { $path } 是链接；仓库只写入自己的目录
    .hint = 没有改动任何内容；请用目录本身替换该链接，或把它挂载到那里，然后重新运行同一命令
error-store-locked = 仓库 { $path } 正被另一个进程使用
    .hint = 请等待另一个 carryall 结束，或结束它；无需手工清理
error-store-served = 另有进程正在读取仓库 { $path }（例如 carryall serve）
    .hint = 请等待其他 carryall 结束，或先结束 carryall serve（Ctrl-C），再运行本命令，然后重新启动 serve；add、receive 和 rm 无需等待
error-store-read-only = 仓库 { $path } 以只读方式打开
error-store-writer-busy = 仓库 { $path } 正在写入
error-store-newer-format = { $path } 的仓库格式 { $found } 比本程序支持的 { $known } 新
    .hint = 请使用更新版本的 carryall
error-store-bad-settings = { $path } 无法识别，不是 carryall 仓库的设置：{ $what }
    .hint = { $held_in ->
        [bucket] 那里的内容未被改动；--store 或环境变量 CARRYALL_STORE 中的存储桶和前缀写对了吗？如果这确实是仓库、只是 carryall.toml 损坏，请用服务商的工具从旧版本或副本恢复该对象
       *[folder] 其中的内容未被改动；CARRYALL_STORE 或 --store 设对了吗？如果这确实是仓库、只是 carryall.toml 损坏，可运行 carryall check --renew-settings 重写它
    }
error-store-bad-limits = { $path } 中的 [limits] 一节无法使用：{ $what }
    .hint = 没有改动任何内容；请改正该行，或删掉这一节，即恢复默认上限
error-store-entangled = { $path } 与仓库 { $store } 互相包含
    .hint = 仓库不能与要读取的内容放在一起：请用 --store 目录 指定别处
error-store-disk-full = 无法{ $action } { $path }
    .hint = 请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层
error-store-no-access = 无法{ $action } { $path }
error-store-unreadable = 无法{ $action } { $path }
    .hint = 这不一定是损坏，数据未被放弃：磁盘连接并挂载了吗？当前用户有读写权限吗？排除后请重新运行同一命令
error-store-releases-unread = 仓库无法读取
error-store-roots-gone = 存放所有发布包根记录的目录不见了：{ $path }
    .hint = 没有删除任何内容；如果该目录在单独的磁盘上，请挂载；否则请重新 receive 或 add 各发布包（会重新建立该目录），然后再 prune
error-store-root-damaged = { $release } 的根记录已损坏
    .hint = 重新接收该发布包可恢复；carryall rm { $release } 可放弃它（之后可用 carryall add 重新制作）
error-store-no-such-root = 没有发布包根记录 { $root }
error-store-bad-root-name = { $root } 不能用作发布包根记录的名称
error-store-index-damaged = 索引段 { $index } 无法读取
error-store-writer-failed = 写入线程意外结束
error-store-no-such-chunk = 仓库里没有数据块 { $chunk }
error-store-chunk-damaged = 数据块 { $chunk } 已损坏（在数据包 { $pack } 中）
    .hint = carryall check --data 可列出损坏；重新添加，或用 --heal-from 旧卷 可修复
error-store-chunk-quarantined = 数据块 { $chunk } 已损坏并被隔离
    .hint = carryall check --data 可列出损坏；重新添加，或用 --heal-from 旧卷 可修复
error-store-frame-damaged = 数据包 { $pack } 中 { $offset } 处的帧已损坏
error-store-chunk-length = 不能存放 { $bytes } 字节的数据块
error-pack-file-missing-or-short = 数据包缺失或被截短
error-pack-file-not-a-pack = 不是数据包
error-pack-file-newer-format = 数据包版本 { $version } 比本程序支持的 1 新
    .hint = 请使用更新版本的 carryall
error-pack-file-damaged = 数据包已损坏（{ $what }）
error-frame-not-a-frame = 不是数据帧
error-frame-newer-format = 数据帧版本 { $version } 比本程序支持的新
    .hint = 请使用更新版本的 carryall
error-frame-unknown-feature = 数据帧需要本程序没有的功能（{ $what }）
    .hint = 请使用更新版本的 carryall
error-frame-damaged = 数据帧已损坏（{ $what }）
error-frame-base-unread = 它依赖的数据块 { $chunk } 读不出
error-envelope-wrong-kind = 不是应在此处的 carryall 文件
error-envelope-damaged = 内容有误（{ $what }）
error-envelope-newer-format = 格式版本 { $found } 比本程序支持的 { $known } 新
    .hint = 请使用更新版本的 carryall
error-envelope-unknown-features = 需要本程序没有的功能（标志 { $flags }）
    .hint = 请使用更新版本的 carryall

## 发布包

error-site-unknown = 没有 { $site } 的记录
    .hint = carryall site list 列出有记录的站点
error-release-other-there = 对方的 { $release } 内容不同：对方是 { $theirs }，这里是 { $ours }
    .hint = 没有覆盖任何内容。请先在对方仓库运行 carryall rm { $release }，或复制另一个版本
error-release-not-found = 仓库里没有发布包 { $release }
    .hint = { $count ->
        [0] 仓库里还没有发布包：carryall add 名称:版本 路径...
       *[other] 仓库里有 { $has }
    }
error-release-not-whole = { $release } 不完整，无法安装
    .hint = carryall check --data 可列出损坏；请重新接收，或用 --heal-from 修复
error-release-unreadable = { $releases } 无法读取，它们需要哪些数据不得而知
    .hint = { $count ->
       *[other] 没有删除任何内容；请重新接收，或用 carryall check --heal-from 卷 修复；也可用 { $commands } 放弃，然后再 prune
    }
error-release-root-unread = { $release } 目前无法读取
    .hint = 这不一定是损坏，数据未被放弃：磁盘连接并挂载了吗？当前用户有读写权限吗？排除后请重新运行同一命令
error-release-not-for-platform = 这些卷里没有适用于 { $platforms } 的发布包
    .hint = 这些卷里有 { $has }；请去掉 --platform，或换一个平台
error-release-refused = 拒绝接收 { $release }：{ $what }：{ $why }
    .hint = 该发布包未入库；请告知打包方，并保留这些卷供其检查
error-recipe-chunk-unread = 数据块 { $chunk } 读不出
error-recipe-chunk-missing = 缺少数据块 { $chunk }
error-recipe-damaged = 已损坏（{ $what }）
error-recipe-limit = 超出允许的上限：{ $what }
    .hint = 正常的打包程序不会产生这样的数据：请勿使用这套卷，并向供应商索取新的；其中没有任何内容被接收
error-recipe-cost-limit = 超出允许的上限：{ $what }
    .hint = 其中没有任何内容被接收，已读取的数据仍保留；请向供应商核实是否确有这样的版本：如属实，请在仓库 carryall.toml 的 [limits] 一节中调高上限（{ $settings }），再运行同一条命令
error-recipe-newer-format = 需要更新版本的 carryall（{ $what }）
    .hint = 请使用更新版本的 carryall
error-recipe-mismatch = 重建的内容与原来不符（{ $blob }）
error-recipe-stream-not-remade = { $blob } 中的压缩流无法原样重做
error-recipe-ready-copy-unread = 留存备用的副本 { $blob } 读不出
error-recipe-not-stored = 数据块存不进去
error-recipe-not-written = 无法写入
error-recode-io = 无法读写
error-recode-damaged = 压缩流已损坏（{ $what }）
error-recode-ends-early = 提前结束
error-recode-unknown-writer = 不认识压缩它的程序
error-recode-limit = 展开后过大
error-recode-recipe-limit = 还原信息超过原长的千分之 { $per_mille }
error-recode-newer-format = 需要更新版本的 carryall（编码器或还原信息 { $number }）
    .hint = 请使用更新版本的 carryall
error-recode-other-length = 重做后的长度不同
error-deflate-io = 无法读写
error-deflate-damaged = 压缩流已损坏（{ $what }）
error-deflate-ends-early = 提前结束
error-deflate-plain-limit = 展开后超过 { $limit_bytes }
error-deflate-ratio-limit = 展开后超过原长的 { $times } 倍
error-deflate-recipe-limit = 还原信息超过原长的千分之 { $per_mille }
error-deflate-newer-format = 需要更新版本的 carryall（还原信息版本 { $version }）
    .hint = 请使用更新版本的 carryall
error-deflate-other-length = 重做后的长度不同

## 添加

error-add-nothing = 没有要添加的内容
error-add-same-name = 有两个项目都会叫 { $name }：{ $first } 和 { $second }
    .hint = 请给其中一个另起名称：名称=路径
error-add-unreadable = 有 { $count } 个文件或目录无法读取{ $more ->
        [0] {""}
       *[other] （其中 { $more } 个未在此列出）
    }
    .hint = 尚未添加任何内容：请以有读取权限的用户（例如 root）运行，或不要包含这些文件
error-add-entangled = { $path } 与仓库 { $store } 互相包含
    .hint = 仓库不能放在要添加的目录中：用 --store 目录 指定别处，或逐个添加其中的文件和目录
error-add-nowhere = 仓库不在目录中，无处拉取镜像
error-add-too-repetitive = 超出允许的上限：{ $what }
    .hint = 其中的压缩流解开后几乎全是重复数据，现场不会接收这样打开的内容；请用 add --open none 原样添加
error-add-not-stored = { $name }：存入的内容读不回来
error-add-release-unread = 现有的 { $release } 无法读取
error-add-release-damaged = 现有的 { $release } 无法读取
    .hint = 重新接收该发布包可恢复；carryall rm { $release } 可放弃它（之后可用 carryall add 重新制作）
error-add-stream-changed = 一个压缩流还原后与原来不同（{ $blob }）

## 文件和目录

error-files-io = 无法{ $action } { $path }
error-files-changed = { $path } 在读取过程中被改动
error-files-unfit = { $path }：{ $why }
error-files-entry-refused = 拒绝条目 { $entry }：{ $why }
error-files-names-fold = 未能创建 { $path }：此处的文件系统把它与另一个条目视为同名，两者只有字母大小写或重音字符编码不同
    .hint = 发布包本身完好。请把目的位置换到能区分这类名称的文件系统，例如 ext4 或 xfs
error-output-exists = { $path } 已经存在，且不是本命令先前写出的
    .hint = 已有内容保持不动：请指定一个尚不存在的文件，或先把它移走
error-output-is-input = { $path } 位于要读取的 { $input } 之内，或就是它
    .hint = 读取的位置绝不写入：请指定其外的位置
error-output-below-file = 无法写入 { $path }：{ $file } 是文件，不是目录
    .hint = 没有改动任何内容：请换一个位置，或先移走该文件
error-output-not-a-folder = { $path } 是文件，不是目录
    .hint = 没有改动任何内容：请换一个位置，或先移走该文件
error-output-no-folder = { $path }：无法写入
    .hint = 所在目录不存在：请先创建，或换一个位置
error-output-no-access = { $path }：无法写入
    .hint = 没有写入权限：请指定可写的位置，例如主目录
error-output-disk-full = { $path }：无法写入
    .hint = 请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层
error-output-not-writable = { $path }：无法写入
    .hint = 尚未开始读取，也没有任何改动：请换一个位置

## 还原与版本

error-checkout-no-such-release = 没有发布包 { $release }
error-checkout-no-such-item = 发布包里没有项目 { $item }；现有 { $has }
    .hint = carryall show 可列出发布包中的项目
error-image-nothing-attached = 镜像没有附属对象
    .hint = 没有写出任何文件；从镜像仓库或 OCI 镜像目录添加的镜像会带上签名和 SBOM，carryall show 会列出它们
error-checkout-not-empty = { $path } 不是空目录
    .hint = 请指定一个不存在或空的目录
error-checkout-in-store = { $path } 在仓库 { $store } 之内
    .hint = 请指定仓库以外的目录
error-checkout-no-space = { $path } 只有 { $free_bytes } 可用空间，需要 { $needed_bytes }
    .hint = 请释放空间，或用 --item 逐项还原
error-checkout-items-unread = 发布包的项目列表读不出
error-checkout-items-damaged = 发布包的项目列表读不出
    .hint = 请重新接收该发布包，或用 carryall check --heal-from 卷 修复；carryall rm 可放弃它
error-checkout-exists = { $path } 已经存在
    .hint = 已有文件保持不动：请换一个文件名，或先把它移走
error-versions-not-a-link = { $path } 不是指向其下某个版本的链接
    .hint = 请用 --into 指定一个专放版本的目录，或移走该处原有内容
error-versions-taken = { $path } 已存在，来自 { $holds }，内容不同
    .hint = 请用 --into 为该产品另指定目录；若无人使用，可删除原有的那一个
error-versions-no-previous = { $path } 没有可退回的版本
    .hint = 请重新 install 旧版本：其目录仍在时直接使用

## 介质与卷

error-media-missing = 没有这个文件、目录或设备：{ $path }
    .hint = 请检查路径：光盘挂载了吗？名称写对了吗？
error-media-not-a-medium = { $path } 既不是目录、文件，也不是块设备
    .hint = 请给出挂载目录、.iso 映像或块设备，例如 /dev/sr0
error-media-exists = { $path } 已经存在
    .hint = 已有内容保持不动：请用 --to 指定另一个目录，或先把它移走
error-media-busy = { $path }：另一个进程正在写这一卷
    .hint = 请等待另一个 carryall 结束
error-media-unfinished = 第 { $volume_no } 卷只写了 { $volume_blocks } 块中的 { $written_blocks } 块
error-media-not-back = { $path }：{ $volume_blocks } 块中有 { $missing } 块读回来与写入的不同（{ $zeros } 处为零，{ $misplaced } 处是别处的内容，{ $unread } 处读不出）；没有留下任何内容
    .hint = 这个盘的实际容量小于标称容量，或即将损坏：请换一个
error-media-unplugged = { $path }：磁盘被拔出，这一卷不完整
    .hint = 请重新插上并挂载，再执行同一条命令
error-media-file-too-large = { $path }：该文件系统的单个文件最大 { $limit_bytes }，而镜像需要 { $bytes } 或更多
    .hint = 请不用 --iso：目录形式的文件最大 1 GiB；或换到其他文件系统的目录
error-media-burner-missing = 没有安装 xorriso，而刻录光盘要用它
    .hint = 请安装 xorriso（apt-get install xorriso），或用其他刻录软件刻录镜像
error-media-burner-failed = { $path }：xorriso 无法使用该光驱：{ $said }
    .hint = 请检查光驱的设备名（lsblk）和使用权限（cdrom 组），并卸载光盘
error-media-xorriso-missing = 没有安装 xorriso，而 .iso 文件要用它制作
    .hint = 请安装 xorriso（apt-get install xorriso），或不用 --iso，改用任意刻录软件刻录各卷文件夹
error-media-xorriso-failed = { $path }：xorriso 执行失败：{ $said }
    .hint = 上面是 xorriso 的原话；不用 --iso 则写成文件夹，可用任意软件刻录
error-media-too-large = { $path }：{ $bytes } 字节，放不进 { $limit_bytes } 字节的介质
error-volume-none-found = 在 { $paths } 中没有找到 carryall 卷
    .otherwise = 光盘放对并挂载了吗？文件系统损坏的光盘可直接给出设备，例如 /dev/sr0
error-volume-no-such-number = 这一套是第 1 到第 { $volumes } 卷，没有第 { $volume_no } 卷
    .hint = carryall help 命令 可查看用法
error-volume-medium-too-small = 介质太小：除文件系统和说明页外可放 { $room_bytes }，而最小的一卷要 { $needed_bytes }
    .hint = 请使用更大的介质：还差约 { $lacking_bytes }
error-volume-piece-too-large = 介质太小：一帧压缩数据有 { $needed_bytes }，不能分到两卷上，而一卷除目录、校验和文件系统外只剩 { $room_bytes }
    .hint = 请使用更大的介质：还差约 { $lacking_bytes }
error-volume-too-many-for-gf8 = 需要 { $volumes } 卷，而这种校验码的一套最多 { $most } 卷
    .hint = 请使用更大的介质、减少备用卷，或不用 --codec gf8
error-volume-too-many = 需要 { $volumes } 卷，而一套最多 { $most } 卷
    .hint = 请使用更大的介质或减少备用卷，或把部分发布包单独打成一套
error-volume-catalog-too-large = 目录有 { $bytes } 字节，计划中只留了 { $planned_bytes } 字节
error-volume-descriptor-too-large = 标题、发布包名称和说明共 { $bytes } 字节，超级块只能放 { $limit_bytes } 字节
error-volume-piece-unread = 读不出第 { $piece_no } 段数据
error-volume-piece-length = 第 { $piece_no } 段数据的长度与计划的 { $planned_bytes } 字节不符
error-volume-no-superblock = 卷集 { $set }：超级块和目录的第一块都没有读到
    .hint = 手头的卷太少；请提供更多卷，或另一份拷贝
error-volume-forged = 卷集 { $set }：超级块、目录和布局互相矛盾，并非损坏所致
    .hint = 请提供其中一卷的另一份拷贝（向发送方索取）：目前读到的超级块或目录被改动过
error-volume-catalog-incomplete = 卷集 { $set }：手头各卷上都没有目录的第 { $block_no } 块
    .hint = 请提供更多卷，或损坏卷的另一份拷贝：手头的材料会合并使用
error-volume-block-damaged = 第 { $volume_no } 卷：第 { $block_no } 块缺失或损坏
    .hint = 请提供更多卷，或损坏卷的另一份拷贝：手头的材料会合并使用
error-volume-not-recoverable = 手头材料无法恢复{ $volumes }
    .hint = 请提供更多卷，或损坏卷的另一份拷贝：手头的材料会合并使用
error-volume-written-wrong = { $path }：写入的内容读回来不一样
    .hint = 本机的磁盘或内存会改变数据：请换一块盘写入，并检测内存
error-geometry-volumes = 一套不能有 { $volumes } 卷
error-geometry-volume-blocks = 每卷 { $blocks } 块，构不成一套
error-geometry-stripe = 每卷 { $width } 块的条带与校验码和卷数不符
error-geometry-group = { $data } + { $parity } 块的本卷校验组与校验码不符
error-geometry-layout = 目录、数据和本卷校验没有恰好占满一卷

## 没有找到卷的位置上是什么

error-look-closed = { $path } 打不开
error-look-unread = { $path } 读不出
    .otherwise = 请从中心向外擦拭光盘，或换一台光驱；也可先用 ddrescue -b 2048 /dev/sr0 volume.img volume.map 尽量读成映像，再给出该映像
error-look-unreadable = { $path } 读不出
    .hint = 请从中心向外擦拭光盘，或换一台光驱；也可先用 ddrescue -b 2048 /dev/sr0 volume.img volume.map 尽量读成映像，再给出该映像
error-look-empty = { $path } 是空的
    .hint = 挂载了吗？lsblk 可查看设备及其挂载位置；也可直接给出设备，例如 /dev/sr0
error-look-pages-alone = { $path } 只有卷的说明页，没有卷文件
    .hint = 请复制这一卷的全部文件，特别是介质上与说明页放在一起的 carry01.000 等文件
error-look-short = { $path } 太短，不可能是卷
    .hint = 请给出介质本身：挂载目录、.iso 映像或设备，例如 /dev/sr0
error-look-store = { $path } 是仓库目录，不是卷
    .hint = 仓库用 --store 目录 指定；这里请给出卷：挂载的光盘、.iso 映像或卷所在的目录
error-look-tar = { $path } 是打包文件（tar）
    .hint = 卷是挂载的光盘、.iso 映像或含有 carry01.000 等卷文件的目录；docker save 或 tar 产生的文件请用 carryall add 加入发布包
error-look-packed = { $path } 是打包或压缩的文件（{ $kind }）
    .hint = 请先解开，再给出解出来的映像文件或目录
error-look-unpacked = { $path }（{ $kind }）已边读边解压，其中没有卷
    .hint = 请看里面是什么：docker save 或 tar 产生的文件请用 carryall add 加入发布包；有密码的请先解开
error-look-packed-disk = { $path } 是虚拟机磁盘映像（{ $kind }）
    .hint = 请先转成普通映像（`qemu-img convert -O raw { $path } volume.img`），再给出转出的文件
error-look-copied-as-text = { $path } 被当作文本复制，换行符已被改动
    .hint = 请用二进制方式重新复制（FTP 用 `binary`）；如果中间的程序会改动文本，请先打成 zip 再传
error-look-bare-begin = { $path } 是单文件包，但其开头已损坏或缺失，其余内容无法定位
    .hint = 请重新传送该文件；用 `carryall pack --bare` 重新打包会得到相同的字节
error-look-pipe = 从 { $path } 没有读到卷的内容
    .hint = 必须送来整个映像或设备：`ssh 主机 cat /dev/sr0 | carryall receive -`
error-look-piece = { $path } 是拆分文件的一段，或未下载完的文件
    .hint = 请把所有分段按原来的文件名放到同一目录，再给出该目录；或者先合并（`cat 名字.* > volume.iso`）
error-look-web-page = { $path } 是网页，不是文件本身
    .hint = 下载到的是网页：请重新下载文件，需要登录时先登录
error-look-zeros = { $path } 全部是零
    .hint = 没有写入内容，或复制失败：请重新复制或刻录，再用 carryall verify 检查
error-look-other-disc = { $path } 是装有其他内容的光盘（{ $label }）

## 打包、回执与接收

error-pack-not-a-program = { $path } 不是 Linux 程序
    .hint = --program 需要静态的 ELF 程序，例如 target/aarch64-unknown-linux-musl/dist/carryall
error-pack-unknown-machine = { $path } 是另一种机器的程序（机器编号 { $machine }），这里没有对应的名称
    .hint = 请放在单独的介质上，或用 carryall add 加入发布包
error-pack-program-not-static = { $path } 依赖所在系统的库
    .hint = 卷上的程序必须能独立运行：请用 .ci/dist 构建，或把这个程序放在单独的介质上
error-pack-program-too-large = { $path } 超过 { $limit_bytes }
    .hint = --program 只用于 carryall 程序本身；其他文件请用 carryall add 加入发布包
error-pack-two-programs = { $first } 和 { $second } 适用于同一种机器
    .hint = 请去掉其中一个：每种机器在卷上只有一个程序
error-pack-many-spares = { $data_volumes } 个数据卷却要 { $spare_volumes } 个备用卷
    .hint = 多数现场一两卷即可（--spare 2），不超过 { $most } 卷不会询问；如确需这么多，请加 --many-spares
error-key-unusable = { $path }
error-key-not-found = { $given } 既不是公钥，也不是公钥文件
    .hint = 请给出以 .pub 结尾的文件，或其中那一行 56 个字符
error-key-exists = { $path } 已经存在
    .hint = 密钥从不覆盖：请换一个文件名；如果确实不再需要原文件，请先移走
error-key-public-name = { $path } 将是私钥，而以 .pub 结尾的名称只用于公钥
    .hint = 请给出私钥的文件名，例如 vendor.key；公钥会写在它旁边
error-key-not-public = 不是公钥
    .hint = 公钥是一行 56 个字符，carryall key new 和 minisign -G 会把它写入以 .pub 结尾的文件；给镜像签名的密钥（如 cosign 的）添加时要加 --images
error-key-not-pem = 不是 PEM 格式的公钥
    .hint = 用于镜像的密钥以 -----BEGIN PUBLIC KEY----- 开头，例如 cosign.pub；给卷集签名的密钥添加时不加 --images
error-key-certificate = 这是证书，不是公钥
    .hint = 验证签名只需要密钥；可用 openssl x509 -pubkey -noout -in 文件 从证书中取出
error-key-unsupported = 不支持这种密钥
    .hint = 支持 ECDSA P-256 和 P-384、Ed25519，以及 2048 到 8192 位的 RSA
error-key-secret = 这是私钥，不是公钥
    .hint = 请给出以 .pub 结尾的文件；私钥只留在发送方，不放在任何站点
error-key-not-secret = 不是私钥
    .hint = --sign 需要 carryall key new 或 minisign -G 生成的私钥文件
error-key-needs-password = 该密钥有口令
    .hint = 请在终端中运行，或用 --password-file 文件 或 $CARRYALL_KEY_PASSWORD 提供口令
error-key-wrong-password = 口令不对，或文件已损坏
    .hint = 请重试；没有口令密钥就无法使用，只能另做新密钥，并让各站点重新信任
error-key-not-made = 无法生成密钥
    .hint = 系统不提供随机数，或内存不足：请换一台机器再试
error-key-no-terminal = 没有可以询问口令的终端
    .hint = 请用 --password-file 文件 或 $CARRYALL_KEY_PASSWORD 提供口令；key new --no-password 可生成无口令的密钥
error-key-empty-password = 口令为空
    .hint = 未生成任何文件；--no-password 可生成不加密的密钥
error-key-passwords-differ = 两次输入的口令不一致
    .hint = 未生成任何文件：请重新运行
error-signature-required = 有 { $count } 个镜像没有由本站点信任的密钥签名
    .hint = 没有给出任何内容。carryall show 发布包 --verify 可查看每个签名，carryall trust list 可查看信任谁的镜像密钥，--image 可选择镜像
error-signature-of = { $image }
error-signature-not-signed = 没有签名
error-signature-index-not-signed = 索引本身没有签名，不论其中的镜像有没有
error-signature-other-name = 签名的密钥不用于这个名称的镜像
error-signature-wrong = 附带的签名不是对它的
error-signature-stranger = 签名者不受本站点信任
error-signature-not-checked = 有签名，但这种形式在此不验证
error-signature-no-manifest = 来时没有清单，而签名签的正是清单
error-trust-damaged = 无法理解 { $path }：{ $what }
    .hint = 不知道信任谁之前，什么都不会接收：请放回该文件的副本，或移走它，再用 carryall trust add 逐个添加密钥
error-trust-no-such-key = 没有名为 { $given } 的受信任密钥
    .hint = { $count ->
        [0] 这里没有受信任的密钥
       *[other] 受信任的有：{ $has }；carryall trust list 可查看它们的编号
    }
error-trust-name-taken = 已有另一个密钥叫 { $name }
    .hint = 请用 --name 另起名称，或先移除那个密钥：carryall trust rm
error-trust-bad-name = 不能用作密钥的名称
    .hint = 名称为一行文字，最多 100 个字符
error-trust-bad-pattern = { $given } 不是镜像名称的模式
    .hint = 模式写作 [主机/]仓库，用小写字母，不带标签，* 代表任意字符，例如 registry.example/shop/*；每个密钥最多 64 个
error-seal-not-a-recipient = { $given } 不是 age 接收者
    .hint = 接收者以 age1 开头：由现场执行 `age-keygen -o site.key` 生成一对，并把屏幕上打印的那一行发来；整份名单可用 --recipients-file 文件 给出
error-seal-secret-for-recipient = 这是私密的身份密钥，不是接收者
    .hint = 得到它的人可以解开一切：用 `age-keygen -y 文件` 可打印其接收者，以 age1 开头。私钥不应留在命令行历史中
error-seal-recipient-line = { $path }：第 { $line } 行不是 age 接收者
    .hint = 每行写一个接收者（age1...）；以 # 开头的行会跳过
error-seal-identity-line = { $path }：第 { $line } 行不是 age 身份密钥
    .hint = 每行写一个身份密钥（AGE-SECRET-KEY-1...），与 `age-keygen` 写出的相同；以 # 开头的行会跳过。这里不支持 ssh 和插件的身份密钥
error-seal-recipient-for-identity = { $path }：第 { $line } 行是接收者，只能用来加密
    .hint = 请给出与它对应的身份密钥文件（AGE-SECRET-KEY-1...）
error-seal-protected = { $path } 本身带有口令
    .hint = 请先解开：`age -d -o site.key { $path }`，再给出 site.key
error-seal-empty = { $path }：除注释外没有内容
    .hint = 每行写一个接收者或身份密钥
error-seal-no-identity = { $set ->
    [none] 卷集已加密
   *[other] 卷集 { $set } 已读全，但已加密
}：要用其接收者的身份密钥才能解开
    .hint = 请用 --identity 文件 给出身份密钥。`receive` 读过的卷都留在暂存区，不必重读：执行 `carryall receive --identity 文件` 即可解开；`carryall status` 显示等待中的卷集
error-seal-no-passphrase = { $set ->
    [none] 卷集已用口令加密
   *[other] 卷集 { $set } 已读全，但已用口令加密
}
    .hint = 请加 --passphrase，程序会询问口令。`receive` 读过的卷都留在暂存区，不必重读：执行 `carryall receive --passphrase` 即可解开
error-seal-other-identity = { $set ->
    [none] 它是为别人加密的
   *[other] 卷集 { $set } 是为别人加密的：给出的身份密钥都解不开
}
    .hint = 它的内容没有进入仓库，已读的部分保留。请给出正确的身份密钥（用 `age-keygen -y 文件` 可打印其接收者，供发送方核对），或请发送方也为您加密一份
error-seal-wrong-passphrase = { $set ->
    [none] 口令不对
   *[other] 口令不对：解不开卷集 { $set }
}
    .hint = 它的内容没有进入仓库，已读的部分保留：请再次执行 `carryall receive --passphrase`
error-seal-header = { $set ->
    [none] 加密的内容无法识别
   *[other] 卷集 { $set } 中加密的内容无法识别
}
    .hint = 数据块与打包时相同，换一份副本也不会更好：可能由更新的程序生成。请询问发送方，并查看 `carryall --version`
error-seal-content = { $set ->
    [none] 加密的内容读不出
   *[other] 卷集 { $set } 中加密的内容读不出
}
    .hint = 要查看加密的卷集，所有数据卷都必须在手头且完好；`receive` 会先修复。如果接收时已经完好，请让发送方重新打包
error-trust-unsigned = 卷集 { $set } 没有签名，而本站点只接收有签名的卷集
    .hint = 它的内容没有进入仓库，已读的部分保留。请向发送方索取有签名的卷集。如果确知它的来源，可在同一命令后加 --unsigned；carryall forget { $set } 可放弃它
error-trust-wrong-signature = 卷集 { $set } 的签名无效：不是对本卷集的签名，或不是所注密钥签的
    .hint = 它的内容没有进入仓库。卷集或签名被人改动过：请勿使用这些介质，并与发送方联系；carryall forget { $set } 可放弃它
error-trust-stranger = 卷集 { $set } 的签名密钥在本站点不受信任：{ $keys }
    .hint = 它的内容没有进入仓库，已读的部分保留。如果这是发送方的密钥，请打电话核对指纹，再信任它：carryall trust add 密钥。carryall forget { $set } 可放弃该卷集
error-trust-required = 卷集 { $set }：本站点已设为只接收有签名的卷集，不接受例外
    .hint = 请向发送方索取有签名的卷集；carryall trust require --no-longer 可更改本站点的设置
error-receive-would-replace = 仓库中已有 { $release }，内容不同（{ $here }）；卷集 { $set } 会替换它（{ $comes }）
    .hint = 现有的内容不变，已读的部分保留。请问发送方为什么同名而内容不同；--replace 可改用新的，carryall forget { $set } 可放弃它
error-receive-older = { $date } 的卷集 { $set } 早于带来 { $release } 的 { $newer_date } 的卷集 { $newer }
    .hint = 现有的内容不变，已读的部分保留。旧卷集可能带回新卷集已修正的问题；--replace 仍可接收，carryall forget { $set } 可放弃它
error-receive-other-site = 卷集 { $set } 是为 { $site } 制作的（仓库 { $made_for }），而这里是仓库 { $here }
    .hint = 它的内容没有进入仓库，已读的部分保留。是否拿错了别的站点的光盘？--replace 仍可接收，carryall forget { $set } 可放弃它
error-receipt-not-found = { $given }：没有这个文件，它本身也不是回执文字
    .hint = 请检查文件名；或用引号给出站点上 carryall receipt 打印的全部文字
error-receipt-unusable = { $given }
error-receipt-not-a-receipt = 不是有效的回执
    .hint = 请给出 carryall receipt -o 文件 写成的文件，或用引号给出 carryall receipt 打印的文字
error-receipt-bad-symbol = 第 { $line } 行有无效字符“{ $symbol }”
    .hint = 请与站点打印的这一行核对：一行内错两个字符以内必能发现
error-receipt-bad-line = 第 { $line } 行有错
    .hint = 请与站点打印的这一行核对：一行内错两个字符以内必能发现
error-receipt-bad-lines = 缺少一行、多了一行，或混入了别的回执
    .hint = 请与站点打印的内容核对行数和顺序
error-receipt-bad-part = { $what }
error-receipt-no-codes = 回执太长，{ $most } 个合适大小的二维码也装不下
    .hint = 请放大终端窗口，或用 --png 文件.png 写成图片，或用 -o 文件 写成文件
error-receipt-newer-format = 版本 { $version } 比本程序新
    .hint = 请使用更新版本的 carryall
error-visit-no-drive = 本机没有当前用户可见的光驱
    .hint = U 盘请用：carryall receive 路径；光驱若是别的设备名：carryall visit --drive /dev/设备名
error-receive-no-such-set = 没有正在接收的卷集 { $set }
    .hint = { $count ->
        [0] 没有正在接收的卷集，无需放弃
       *[other] 正在接收的有：{ $has }；carryall status 可列出
    }
error-receive-too-many-sets = 等待的卷集过多，未开始接收新的卷集
    .hint = carryall status 可列出；用 carryall forget 卷集 或 carryall forget --all-incomplete 放弃；已入库的发布包不受影响
error-receive-wrong-blocks = { $volumes }的块校验值正确，但内容与打包时不同
    .hint = 需要{ $volumes }的另一份拷贝，请向发送方索取：所读的拷贝被改动过；其中正确的部分已保留
error-bundle-incomplete = 发布包 { $release } 需要的 { $chunks } 个数据块，卷上和仓库里都没有
    .hint = 请重新打包：源仓库中有数据缺失
error-bundle-catalog = 目录
error-bundle-frame = 第 { $frame_no } 帧数据
error-bundle-payload = 数据读不到头

## 镜像

error-image-none = 发布包里没有镜像
    .hint = carryall show 发布包 可查看内容；不带 --as 的 checkout 还原原始项目
error-image-none-named = { $releases } 里没有带名称的镜像
    .hint = carryall show 发布包 可列出镜像；没有名称的镜像不能推送，也不能提供
error-image-not-found = 发布包里没有镜像 { $image }；现有 { $has }
    .hint = carryall show 发布包 可列出镜像的名称和摘要
error-image-no-such-platform = 没有适用于 { $platform } 的镜像；现有平台 { $has }
    .hint = 请选择已有的平台
error-image-several = { $name } 对应 { $count } 个镜像：{ $images }
    .hint = 请用 --image 加摘要选择其一
error-image-several-platforms = { $name } 对应 { $count } 个镜像：{ $images }
    .hint = 请用 --platform 系统/架构 选择其一
error-image-not-runnable = { $image } 不是由层组成的镜像，docker 归档无法容纳
    .hint = carryall check --data 可列出损坏；可用 --image 只取完好的镜像
error-image-blob-missing = { $image }：发布包里没有数据块 { $digest }
    .hint = carryall check --data 可列出损坏；可用 --image 只取完好的镜像
error-image-blob-mismatch = 数据块 { $digest } 与摘要不符：实际是 { $found }
    .hint = carryall check --data 可列出损坏；可用 --image 只取完好的镜像
error-image-blob-unread = 数据块 { $digest }
    .hint = carryall check --data 可列出损坏；可用 --image 只取完好的镜像
error-image-archive-not-written = 无法写出归档
error-load-no-program = 没有安装 docker、podman、nerdctl 或 ctr
    .hint = 请安装其中之一，或用 carryall checkout 发布包 文件 --as docker-archive 导出后在目标机器载入
error-load-none-works = 都不能用
    .hint = 请启动其中之一的服务，或以有权使用它的用户运行（root、docker 组）；--with 可直接指定程序
error-load-does-not-work = { $program }
error-load-not-run = 无法运行 { $program }
    .hint = 请确认已安装且有权运行；可用 --with 指定其他程序
error-load-failed = { $program } 执行失败（{ $status }）
    .hint = 原因见上：服务是否在运行、是否有权限、空间是否足够？上面的说明列出了它现有的镜像；可重新运行同一命令
error-reference-host = 不是主机：应写作 主机[:端口]
error-reference-repository = 不是仓库名：应由 a-z、0-9、'.'、'_'、'-' 组成的小写单词，以 '/' 连接
error-reference-tag = 不是标签：最多 128 个字母、数字、'_'、'.' 和 '-'
error-reference-digest = @ 之后不是摘要（应为 sha256 加冒号和 64 个十六进制数字）

## 镜像仓库

error-registry-unreachable = { $host } 没有应答：{ $what }
    .hint = 镜像仓库在运行吗？地址对吗？重新运行同一命令会从中断处继续；没有 TLS 的镜像仓库请加 --plain-http
error-registry-tls = { $host } 不可信或不支持 TLS
    .hint = 请用 --ca 文件.pem 给出镜像仓库的根证书；没有 TLS 时用 --plain-http
error-registry-denied = { $host } 拒绝访问：{ $what }
    .hint = 请先 docker login 主机 或 podman login --authfile ~/.docker/config.json 主机：凭据取自 docker 的配置文件
error-registry-absent = { $host } 没有 { $what }
    .hint = 请检查仓库名和标签：拼写对吗？推送过吗？
error-registry-refused = { $host } 返回 { $status }：{ $what }
error-registry-too-many-requests = { $host } 返回 { $status }：{ $what }
    .hint = 镜像仓库限制了访问频率：稍后重新运行同一命令即可继续；登录后限额通常更高
error-registry-server-error = { $host } 返回 { $status }：{ $what }
    .hint = 镜像仓库自身出错：请查看其日志，然后重新运行同一命令，会从中断处继续
error-registry-no-platform = { $what } 没有 { $platform } 的镜像；有 { $has }
    .hint = 请用 --platform 选择其中之一；不写则全部
error-registry-credentials = 凭据有误：{ $why }
    .hint = 请先 docker login 主机 或 podman login --authfile ~/.docker/config.json 主机：凭据取自 docker 的配置文件
error-registry-no-space = { $path } 只有 { $free_bytes } 可用空间，需要 { $needed_bytes }
    .hint = 请释放空间，或用 --store 目录 指定另一个仓库
error-registry-disk-full = { $path }
    .hint = 请释放空间后重新运行同一命令：已取得的部分会保留，从中断处继续
error-registry-listen = 无法监听 { $address }
    .hint = 请用 --listen 地址:端口 选择别的地址或端口
error-registry-mismatch = { $what }：内容与摘要不符，得到的是 { $got }
    .hint = 错误的数据没有保留：请重新运行同一命令；若仍如此，则镜像仓库或其代理已损坏
error-registry-length = { $what }：收到 { $got_bytes } 字节，而声明的是 { $bytes } 字节
    .hint = 错误的数据没有保留：请重新运行同一命令；若仍如此，则镜像仓库或其代理已损坏
error-registry-too-large = { $what } 太大：上限是 { $limit }
error-registry-damaged = { $what } 有误：{ $why }
error-registry-source-unread = { $what } 在本地无法读取
error-registry-bad-address = “{ $given }”不是镜像仓库地址
    .hint = 请写作 主机[:端口][/前缀]，例如 registry.site:5000/shop
error-registry-no-such-host = 没有来自 { $host } 的镜像；现有主机 { $has }
    .hint = carryall show 发布包 可列出名称；没有写主机的名称，其主机是 docker.io

## 命令行

error-usage-no-store = 没有指定仓库
    .hint = 请用 --store 目录 或环境变量 CARRYALL_STORE 指定
error-usage-unexpanded-home = { $path }：这里的 ~ 不代表任何目录，shell 没有把它替换成您的主目录
    .hint = { $is_known ->
        [1] 请写 { $meant }；如果目录真的叫这个名字，请写 ./{ $path }
       *[0] 请写完整路径，例如 { $meant }；如果目录真的叫这个名字，请写 ./{ $path }
    }
error-usage-unexpanded-home-in = { $path }（{ $given_by }）：这里的 ~ 不代表任何目录，shell 没有把它替换成您的主目录
    .hint = { $is_known ->
        [1] 请写 { $meant }；如果目录真的叫这个名字，请写 ./{ $path }
       *[0] 请写完整路径，例如 { $meant }；如果目录真的叫这个名字，请写 ./{ $path }
    }
error-usage-nothing-to-demo = 没有找到可用于演示的内容
error-usage-same-store = { $path } 就是要复制的来源仓库
    .hint = 请用 --to 指定另一个仓库
error-usage-one-stream = 标准输入只有一个：- 只能出现一次
error-usage-terminal-stdin = - 表示标准输入，而现在它是终端：请用管道输入数据
error-usage-bad-reference = { $given }
    .hint = 镜像引用写作 docker://主机[:端口]/仓库:标签，或 ……@sha256:摘要
error-usage-one-name = --name 只能用于一个项目，而这里给出了多个
    .hint = 请逐个命名：名称=路径、名称=docker://REF 或 名称=-
error-usage-image-without-form = --image 用于选择镜像，而当前要还原的是原始项目
    .hint = 输出镜像：--as docker-archive 或 --as oci，可加 --image；还原项目：--item 名称
error-usage-privileged-with-form = --privileged 只对文件有效，而当前要输出的是镜像
error-usage-item-with-form = --item 用于选择项目，而当前要输出的是镜像
    .hint = 输出镜像：--as docker-archive 或 --as oci，可加 --image；还原项目：--item 名称
error-usage-host-mapped-twice = { $host } 被映射到了两个不同的位置
error-usage-no-media = 没有指定介质
error-usage-no-such-medium = 没有“{ $given }”这种介质
    .hint = 可用：cd、dvd、dvd-dl、bd、bd-dl、bdxl、usb，或确切容量，例如 700MB、8GB、4GiB
error-usage-misspelled-medium = 没有“{ $given }”这种介质
    .hint = 是否指 { $meant }？可用：cd、dvd、dvd-dl、bd、bd-dl、bdxl、usb，或确切容量，例如 700MB、8GB、4GiB
error-usage-report-form = 报告的文件名须以 .html 或 .json 结尾，而给出的是 { $path }
    .hint = --report report.html 生成可打印的页面，--report report.json 生成供程序读取的文档
error-usage-no-folder = 没有用 --to 指定目录
error-usage-bad-contact = --contact 须为一行，1 到 { $chars_max } 个字符
error-usage-bad-date = “{ $given }”不是日期
    .hint = 日期的写法如 2026-11-28
error-usage-bad-epoch = 环境变量 SOURCE_DATE_EPOCH 的值“{ $given }”不是时间
    .hint = 应为 1970 年以来的秒数；请取消该变量，或用 --date 指定日期
error-usage-one-receipt-a-site = --site 只能配一个 --for

## 错误的组成部分

command-rm = carryall rm { $release }
hint-damage = carryall check --data 可列出损坏；重新接收或重新添加，或用 --heal-from 旧卷 可修复；carryall rm 可放弃一个发布包
hint-usage = carryall help 命令 可查看用法
hint-generic = 读取的内容未被改动；请按上一行处理后重新运行同一命令
system-numbered = { $what }（系统错误 { $number }）
separator-cause = ：
separator-detail = ；
separator-name = 、

## 库中的用语

term-action-ask-free-space = 查询可用空间
term-action-bring-to-disk = 写盘
term-action-create = 创建
term-action-find = 找到
term-action-keep-what-was-read = 保留已读的内容
term-action-link = 建立链接
term-action-list = 列出
term-action-lock = 锁定
term-action-look-at = 查看
term-action-make = 建立
term-action-make-durable = 写盘
term-action-map = 映射
term-action-open = 打开
term-action-put-aside = 移开
term-action-read = 读取
term-action-read-attributes = 读取扩展属性
term-action-read-link = 读取链接
term-action-remove = 删除
term-action-rename = 改名
term-action-rename-into-place = 改名到位
term-action-write = 写入
term-action-write-below = 写入
term-action-write-in = 写入
term-action-write-to = 写入
term-flaw-receipt-json = JSON 格式有误
term-flaw-receipt-chunk = 数据块标识有误
term-flaw-receipt-set = 卷集有误
term-flaw-receipt-id = 标识有误
term-flaw-store-id = 仓库标识有误
term-flaw-too-much = 内容过多
term-flaw-release-id = 发布包标识有误
term-flaw-release-name = 发布包名称有误
term-flaw-waiting-set = 正在接收的卷集有误
term-flaw-chunk-id = 有数据块与其标识不符
term-flaw-long-chunk = 有数据块的长度超出上限
term-flaw-long-length = 长度超出上限
term-flaw-archive-with-more = 归档内容超出可跟踪的数量
term-flaw-chunk-lengths = 数据块长度之和不符
term-flaw-end = 结尾不符
term-flaw-long-file = 文件超出允许的长度
term-flaw-frame-gaps = 数据帧没有首尾相接
term-flaw-table-hash = 目录表的校验值不符
term-flaw-hash = 校验值不符
term-flaw-index-head = 索引头部的数字不符
term-flaw-depends-on-too-much = 依赖的内容过多
term-flaw-depends-on-something = 不应有依赖，却标明有依赖
term-flaw-chunk-length = 数据块长度不符
term-flaw-chunk-list = 数据块清单有误
term-flaw-empty-chunk-record = 数据块清单中有空记录
term-flaw-chunk-list-length = 数据块清单的长度不符
term-flaw-long-root = 超出根记录的最大长度
term-flaw-long = 超出允许的长度
term-flaw-manifest-items = 项目清单的项目数不符
term-flaw-no-trailer = 没有结尾标记
term-flaw-other-length = 长度与标明的不符
term-flaw-not-decodable = 无法解析
term-flaw-not-decompressible = 无法解压
term-flaw-not-the-catalog = 与目录不符
term-flaw-missing-frame = 有项目指向不存在的数据帧
term-flaw-blob-part = 数据的范围有误
term-flaw-file-part = 文件的范围有误
term-flaw-raw-length = 未压缩，但长度与数据块不符
term-flaw-step = 重建步骤有误
term-flaw-step-length = 重建步骤的长度不符
term-flaw-step-stream-length = 重建步骤中流的长度不符
term-flaw-long-steps = 重建步骤给出的数据过多
term-flaw-step-order = 重建步骤的顺序有误
term-flaw-steps-for-use = 重建步骤给出的数据少于所用
term-flaw-short-steps = 重建步骤给出的数据不足
term-flaw-side-bytes = 重建步骤的附带数据有误
term-flaw-deep-steps = 重建步骤嵌套过深
term-flaw-record = 记录有误
term-flaw-long-record = 记录超出允许的长度
term-flaw-too-long-record = 记录过长
term-flaw-sets-of-no-prerequisite = 列有不属于任何依赖的卷集
term-flaw-sets-without-dependents = 列有卷集，却没有依赖它们的内容
term-flaw-short = 比标明的短
term-flaw-small-content = 小文件的内容有误
term-flaw-stream-end = 数据流提前结束
term-flaw-stream-chunk = 数据流中有数据块的长度不符
term-flaw-stream-for-use = 数据流短于所用
term-flaw-deep-stream = 数据流嵌套过深
term-flaw-long-stream = 数据流过长
term-flaw-table = 目录表有误
term-flaw-many-frames = 数据帧过多
term-flaw-many-items = 项目过多
term-flaw-version = 版本号有误
term-refusal-not-file-nor-folder = 既不是文件也不是目录
term-refusal-no-name = 没有名称
term-refusal-path-over64-kib = 路径超过 64 KiB
term-refusal-too-many-folders = 所在目录超过 4096 层
term-refusal-attributes = 扩展属性超过 512 KiB
term-refusal-given-name = 给它起的名称不能用作文件名
term-refusal-not-afile-name = 不能用作文件名
term-refusal-long-name = 名称过长
term-refusal-long-name-in-path = 其中有名称过长
term-refusal-long-path = 路径长于 64 KiB
term-refusal-two-of-this-name = 有两个同名项目
term-refusal-impossible-size = 所称大小不可能
term-refusal-larger-than-items = 所称大小超过各项目之和
term-refusal-larger-than-content = 所称大小超过其内容
term-refusal-more-entries = 所称条目数与实际不符
term-refusal-link-target = 链接目标无效
term-refusal-folder-twice = 目录不能有硬链接
term-refusal-no-other-name = 硬链接的目标不存在
term-refusal-there-already = 路径上已有别的内容
term-refusal-not-through-folders = 路径穿过的不是目录
term-refusal-folder-afterwards = 所在目录没有先出现
term-refusal-not-downwards = 路径越出目录
term-excess-steps-for-blob = 重建步骤比它给出的数据还长
term-excess-steps = 全部重建步骤的长度
term-excess-plain-for-stream = 压缩流解开后的倍数
term-excess-items = 条目清单的长度
term-excess-plain-of-streams = 全部压缩流解开后的长度
term-feature-codec = 压缩方式
term-feature-filter = 过滤方式
term-feature-flag = 标志
term-feature-dependence = 对数据块的依赖方式
