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
