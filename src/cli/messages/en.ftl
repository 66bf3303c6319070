### English: the first language. Every message here stands in every other file of this folder, with the same arguments.
###
### A name in braces is an argument. The parts that belong to a word of the command line (`carryall check --data`) stay as
### they are in every language. Tests hold the files to each other and to the sources.

## Lines

line-error = error: { $message }
line-hint = hint: { $hint }

## The program itself

stopping = stopping; what is done is kept (Ctrl-C again ends at once)

## Findings and the machine

severity-note = note
severity-damage = damage
severity-loss = LOSS
finding = { $severity }: { $subject }: { $message }
more-findings = ... and { $count } more like these (-v shows all)
memory-fewer-cores = note: this takes up to about { $needed } of memory, and { $there } may be used: it works on { $cores } { $cores ->
        [one] core
       *[other] cores
    } only, and takes longer
memory-short = note: this takes up to about { $needed } of memory, and { $there } may be used: it may not be enough; end other programs, or raise the limit (ulimit -v, that of the container or service)

## What progress bars say

task-read = read
task-look = look
task-pull = pull
task-push = push
task-compare = compare
task-compress = compress
task-payload = write data
task-seal = seal
task-wide-parity = wide parity
task-local-parity = local parity
task-scan = scan
task-read-around-errors = read around errors
task-try-again = try again
task-heal = heal
task-healing = heal
task-rebuild = rebuild
task-take-over = take in
task-look-for-wrong-blocks = look for wrong blocks
task-check = check
task-check-out = check out
task-sync = bring to the disk
task-copy = copy
task-flush = bring to the disk
task-burn = burn
task-read-back = read back
task-load = load

## Lists

list-separator = {", "}
list-last = { $first } and { $last }
list-or = {"; or "}
list-sentences = {"; "}
list-facts = {", "}
volumes = { $count ->
        [one] volume
       *[other] volumes
    } { $numbers }

## Deltas, receipts and sites

plan-depends-on = depends on: { $releases } (must be there; `receive` checks before it writes anything)
plan-depends-on-nothing = depends on nothing: the receiver has none of it
plan-fits-all = fits all { $count }: about { $together }; for one alone about:
prerequisite-here = { $name } ({ $id }) is here
prerequisite-damaged = { $name } ({ $id }) is damaged here
prerequisite-different = { $name } ({ $id }) is another release here
prerequisite-absent = { $name } ({ $id }) is not here
prerequisite-set-waits = set { $set }, which waits here, depends on what is not whole itself
prerequisite-frames = of set { $set }, { $missing } of { $frames } frames are not here
prerequisites = depends on what is not in the store: { $what }
prerequisites-and-chunks = depends on what is not in the store: { $what }; { $count } { $count ->
        [one] chunk
       *[other] chunks
    } missing, the first { $first }
set-done-with = set { $set }, of which something was lacking, is complete by that and cleared away
hint-top-up = another copy of a volume that is named; or send `carryall receipt -o FILE` to the vendor: what is lacking then comes on one small bundle, and nothing that was read is needed again
hint-prerequisite = receive the release that it depends on, then this one again (what was read is kept); or send `carryall receipt` to the vendor
hint-prerequisite-platform = this set has releases for { $archs }: --platform linux/ARCHITECTURE takes those for one of them, and needs only what these depend on
receipt-label = receipt { $number } (store { $store })
site-of-another-store = note: { $site }: its last receipt was of another store; the new one counts from now on
site-is-new = note: nothing is remembered of { $site }: the bundle is full
receiver-unknown-releases = note: { $label }: not in this store and left out of account: { $releases }
receiver-unknown-sets = note: { $label }: was not packed from this store, and what came of it is left out of account: set { $sets }
receipt-of = receipt of store { $store }: { $releases }
receipt-of-nothing = receipt of store { $store }: no release
receipt-lacks = { $count } { $count ->
        [one] chunk
       *[other] chunks
    } of them lost or damaged: the next bundle brings what it needs of them
receipt-set = of set { $set } ({ $releases }) { $have } of { $all } frames are here: `pack RELEASE --for` this receipt brings the rest
receipt-long = the text has { $lines } lines: better write it to a file with -o FILE
receipt-written = written to { $path }; the vendor: carryall pack RELEASE --for { $path }
receipt-typed = read it out or type it; the vendor: carryall pack RELEASE --for "LINE LINE ..."
burn-next-disc = take the disc out and insert a blank one for volume { $no } of { $count }
burn-no-disc = there is no disc in the drive, or it does not read it: insert a blank one for volume { $no } of { $count }
burn-used = this disc is written already and cannot be erased: insert a blank one for volume { $no } of { $count }
burn-holds-set = this disc holds a volume of { $title }: type `erase` to erase it and burn volume { $no } of { $count }; to keep it, insert another disc, then Enter
burn-holds-data = this disc holds something: type `erase` to erase it and burn volume { $no } of { $count }; to keep it, insert another disc, then Enter
burn-too-small = this disc has room for { $room }, and volume { $no } of { $count } takes { $needed }: insert a larger one
burn-failed = the drive did not write it ({ $said }): insert another blank disc for volume { $no } of { $count }
burn-bad = BAD: at least { $bad } of the disc differ from the volume or cannot be read: mark it as bad, and insert another blank disc for volume { $no } of { $count }
burn-reload = push the tray in again: the disc is read back
burn-answers = Enter: go on; s: leave this volume out; q: stop
burn-remembered = { $title } (set { $set }): volume { $no } of { $count }: burned and good before, not burned again
burn-writing = { $title } (set { $set }): volume { $no } of { $count }: is burned in { $device } ({ $kind })
burn-reading-back = is read back from the disc
burn-on-disc = { $title } (set { $set }): volume { $no } of { $count }: is on this disc already
burn-good = volume { $no } of { $count }: good, everything was read back from the disc; label it
burn-broken-off = volume { $no } of { $count }: broken off while it was written: a disc that can be written once is lost, a rewritable one can be used again; what was found good before is remembered
burned-good = { $title }: volume { $no } of { $count }: good
burned-bad = { $title }: volume { $no } of { $count }: no good disc
burned-not = { $title }: volume { $no } of { $count }: not burned
burned-rest = the same command burns the rest: what is good is not burned again
labels-written = { $path }: labels of { $count } { $count ->
        [one] volume
       *[other] volumes
    }; open it in a browser and print it on A4 at 100 %
receipt-picture = its QR code is { $path }
receipt-picture-of = QR code { $number } of { $count } is { $path }
receipt-photographed = photograph it, or send the picture; what a phone reads from all codes, one behind the other, is the receipt; the vendor: carryall pack RELEASE --for "TEXT"
receipt-code-of = code { $number } of { $count }: the texts of all codes, one behind the other, are the receipt
receipt-code-next = code { $number } of { $count }: photograph it, then press Enter for the next one
receipt-too-long = too long to be typed: write it to a file with -o FILE
site-none = no site is remembered: pack with --site NAME
site-nothing = nothing
site-noted = noted last on { $day }
site-next = { $releases } would be about { $carried } for it
site-next-nothing = it has all of { $releases }
fleet-has-all = { $name }  has all of it
fleet-site = { $name }  about { $carried }, { $volumes } { $volumes ->
        [one] data volume
       *[other] data volumes
    }
fleet-nothing = every site has all of it: nothing is packed
fleet-together = one set and { $copies } { $copies ->
        [one] copy
       *[other] copies
    } of it: about { $carried }, { $volumes } { $volumes ->
        [one] data volume
       *[other] data volumes
    } in all
fleet-apart = a set for each ({ $sets }): about { $carried }, { $volumes } { $volumes ->
        [one] data volume
       *[other] data volumes
    } in all
fleet-as-one = one set for all takes no more volumes and hardly more bytes, and is made once
fleet-as-many = a set for each is less to carry
fleet-set = for { $names }:
site-without-receipt = { $name }  no receipt yet; packed last: { $packed }
site-has = { $name }  has { $has } (store { $store }); packed last: { $packed }
site-has-and-lacks = { $name }  has { $has } (store { $store }, { $count } { $count ->
        [one] chunk
       *[other] chunks
    } lost or damaged); packed last: { $packed }
site-forgotten = { $site } is forgotten

## Counts

count-releases = { $count } { $count ->
        [one] release
       *[other] releases
    }
count-items = { $count } { $count ->
        [one] item
       *[other] items
    }
count-entries = { $count } { $count ->
        [one] entry
       *[other] entries
    }
count-files = { $digits } files
count-one-file = 1 file

## Stores and releases

store-created = created a store in { $dir }
settings-whole = carryall.toml is whole and stays as it is
settings-renewed = carryall.toml was written anew, the store's id is { $id } from now on
settings-renewed-aside = carryall.toml was written anew, the store's id is { $id } from now on; the damaged one is now { $aside }
store-is-empty = the store holds no release yet: carryall add NAME:VERSION PATH...
item-added = added
item-replaced = replaced
item-kept = kept
item-whole = whole
item-damaged = DAMAGED
item-lost = LOST
added = { $release }: { $total } added and compared, { $new } of it new ({ $stored } in the store), { $known } known already
streams-opened = { $count } compressed { $count ->
        [one] stream
       *[other] streams
    } opened: { $packed } hold { $plain }, recipes { $recipes }
streams-writer = { $writer }: { $count }, { $total }
streams-kept = { $count } kept as they came, { $total }: { $why }
show-opened = { $count } compressed { $count ->
        [one] stream
       *[other] streams
    } kept opened: { $packed } hold { $plain }, recipes { $recipes }
show-kept = kept as it came: { $total }  { $hash }  in { $place }: { $why }
kept-for-newer-reason = for a reason of a newer version
kept-corrupt = damaged
kept-truncated = incomplete
kept-recipe = of an unknown writer, the recipe too large
kept-limit = over the limit when unpacked
kept-time = too slow to open
kept-changed = not the same when made again
kept-space = no room to unpack
kept-small = too small to gain anything
kept-deep = too deep in one another
kept-effort = not looked at, since too many streams before in the same item came to nothing (--open-seconds-per-gb 0 looks at all)
kept-zstd = packed by zstd, by a writer that is not known
kept-bzip2 = packed by bzip2, and added before that was opened
kept-lz4 = packed by lz4, by a writer that is not known
kept-seven-zip = a 7-Zip archive, which is not opened
kept-rar = a RAR archive, which is not opened
kept-encrypted = encrypted in a zip file
kept-zip-method = packed in a zip file in another way than by deflate
show-release = { $name }  { $items }, { $total }, { $chunks } chunks
show-id = id { $id }
diff-item = { $total }, { $new } new
diff-total = { $to } has { $new } that { $from } does not have, in { $chunks } chunks; packed about { $packed } at most
check-reads-only = note: the store is only read: another process writes to it, or it is read-only; nothing is repaired or remembered
removed = { $release } is out of the store; `carryall prune` frees its space
removed-unread = { $release } could not be read and is out of the store; what other releases need stays, `carryall prune` frees the rest
copied = { $release }: copied
copied-before = { $release }: was there already
copied-damaged = { $release }: not copied, because these items are damaged here: { $items }
copied-root-damaged = { $release }: not copied, because its root or its list of items is damaged here
copied-damaged-hint = everything else of it was put, and stays there until the next `prune`. Heal this store with `carryall check --data --heal-from VOLUME`, or with `carryall check --data` and then `carryall add` of the same items. Then run the same command again
copied-total = { $to } got { $new } that it did not have, in { $stored }
pruned = freed { $freed }: { $removed } packs removed, { $rewritten } written anew; the store has { $now } now
pruned-marked = { $packs } { $packs ->
        [one] pack of { $size } is marked and goes
       *[other] packs of { $size } are marked and go
    } with the next prune after the time of grace, unless a release needs them again
pruned-ready = compressed layers and files kept ready: { $left }
pruned-ready-dropped = compressed layers and files kept ready: { $dropped } dropped, { $left } left
kept-ready = kept ready to be handed out: { $size } of compressed layers and files (`carryall prune --ready` frees the room)
check-root-damaged = { $release }: its root or its list of items is damaged, and none of it can be given back
check-items-damaged = { $release }: cannot be given back whole: { $items }
check-structure = structure
check-data = every byte
check-clean = all is well
check-releases-lost = { $count } { $count ->
        [one] release
       *[other] releases
    } cannot be given back whole; receive or add them again
check-not-all-read = not everything could be read, so nothing is known of that part; no damage was found in the rest
check-copies-damaged = no release has lost anything; `carryall prune` clears damaged copies away
check-chunks-lost = { $count } chunks are lost; add the items again, or `carryall check --heal-from VOLUMES`
checked = checked { $looked } of { $releases }, { $packs } { $packs ->
        [one] pack
       *[other] packs
    }, { $total }: { $verdict }
checked-healed = checked { $looked } of { $releases }, { $packs } { $packs ->
        [one] pack
       *[other] packs
    }, { $total }, { $healed } chunks healed: { $verdict }
checked-out = { $release }: { $total } written to { $dest }, every byte checked
checked-out-in-part = { $release }: not everything could be given back; what could is in { $dest } ({ $total } in whole items)

## Sets that are being received

set-name = set { $id }
set-title = { $title } (set { $id })
receive-volume = { $name }: volume { $number } of { $all }: { $state }; { $new }
receive-all-blocks = all blocks whole
receive-known-blocks = recognized, { $known } of { $blocks } blocks known and not read
receive-bad-blocks = { $bad } of { $blocks } blocks damaged or missing, { $percent } % of all bytes read
receive-set-is-in = its set is in already
receive-read-before = was read before
receive-new = new
receive-wrong-blocks = wrong blocks with right hashes on { $volumes }: right ones stand in their place; that copy was changed, keep it apart
receive-doubtful = { $volumes } does not hold what was packed, though its hashes are right: another copy is needed
receive-beside = note: it only lies beside what is complete on the same medium; if it is not wanted: carryall forget { $id }
receive-room = room: up to { $needed } more for the whole set, { $free } free
receive-no-room = room: up to { $needed } more for the whole set, and only { $free } free: make room before the last volume
receive-no-volume = note: no carryall volume in { $path }
receive-refused = note: { $count } more { $count ->
        [one] set
       *[other] sets
    } not begun, for too many wait already: carryall status, carryall forget SET
receive-left-out = left out, not for { $platforms }: { $releases }; without --platform, `receive` takes it from the same volumes
receive-among-the-rest = it lies among the rest: { $needed } of { $all } had to be read all the same
receive-complete = { $release }: received whole ({ $facts }; set { $id }). Give it back with: carryall checkout { $release } DEST
receive-healed = { $blocks } blocks healed
receive-helped = together with what came of set { $sets }
receive-set-refused = not taken in: { $why }
receive-replaced = in place of a different release of this name
receive-not-asked = { $name }: nothing for this platform
receive-already-here = { $name }: is in the store already, nothing to do
receive-finish = { $name }: all that is needed has come; run `carryall receive` with any of its volumes to finish
receive-needs-volumes = { $name } ({ $data } data and { $spare } spare volumes): { $present } taken in so far; { $need }
receive-needs-base = { $name }: all volumes needed have come, and nothing is written yet: it { $what }
receive-damaged = { $name }: damaged beyond what is at hand
forget-nothing = no set is being received; nothing to give up
forget-set = set { $id } { $title }: given up, { $freed } freed; its volumes can be received again
hint-waiting = `carryall receive PATH` with a volume that is named goes on; `carryall forget SET` (its id, or its number in this list) gives a set up
status = store { $store } ({ $id }): { $releases }, { $free } free, { $sets } volume { $sets ->
        [one] set
       *[other] sets
    } being received

## A visit with one drive

visit-drive = { $path } ({ $model })
visit-first = Put any volume of the delivery into { $drive } and close the tray.
visit-keys-first = A disc is noticed by itself. Or type, with Enter behind it: nothing to look again, q to stop (nothing is lost).
visit-keys = A disc is noticed by itself. Or type, with Enter behind it: m when volume { $volume } is not here, nothing to look again, q to stop (nothing is lost).
visit-insert = Next: put volume { $volume } of { $all } of { $name } into { $drive }, { $why }.
visit-why-rest = because reading it was broken off
visit-why-data = because it holds data; { $needed ->
        [one] it is the last that is needed
       *[other] { $needed } more volumes are needed
    }
visit-why-spare = a spare in place of what is missing or damaged; { $needed ->
        [one] it is the last that is needed
       *[other] { $needed } more volumes are needed
    }
visit-why-not-enough = although all volumes that are left will not do; each makes the top-up smaller
visit-insert-base = Next: put a volume with the release that { $name } depends on into { $drive }.
visit-insert-top-up = Next: put the top-up, or another copy of a damaged or missing volume of { $name }, into { $drive }. Leaving is fine: nothing that was read is needed again.
visit-insert-a-disc = No disc in { $drive }: put one in, and it goes on. Ctrl-C ends it.
visit-busy = The drive looks at the disc.
visit-disc-needed = This is volume { $volume } of { $all } of { $name }.
visit-disc-rest = This is volume { $volume } of { $all } of { $name }; reading it goes on where it was broken off.
visit-disc-again = This is volume { $volume } of { $all } of { $name }, which was read with damage; what is still bad is tried again.
visit-disc-done = This is volume { $volume } of { $all } of { $name }, and nothing more of it is needed.
visit-disc-received = This is volume { $volume } of { $all } of { $name }, which is in the store already.
visit-disc-other-set = This is volume { $volume } of { $all } of { $name }: another set than the one that is being received.
visit-ask-other = Take in { $name }, too? y or n, and Enter:
visit-disc-unknown = Too little of this disc can be read to tell what it is; all of it is read now.
visit-out-open = The tray is open: take the disc out.
visit-out-closed = Take the disc out.
visit-missing = Volume { $volume } is not here: it is not asked for any more. When it turns up, just put it in.
visit-unclear = Nothing was done: answer with one of the letters below, and Enter.
visit-top-up = No volume is left that would complete { $name }. What is lacking fits on one small disc from the vendor, the top-up:
visit-top-up-copy = or find another copy of { $volumes }: another drive may read it, too
visit-top-up-missing = or find { $volumes }, said to be missing
visit-top-up-file = send this file to the vendor: { $file }
visit-top-up-lines = or read out, type or copy these lines:
visit-top-up-code = or photograph this code:
visit-top-up-picture = or this picture of a code, which any phone reads: { $file }
visit-received = { $release } is in the store, whole. Next, one of:
visit-next-files = files: carryall checkout { $release } DEST
visit-next-load = images into docker or containerd: carryall load { $release }
visit-next-push = images into a registry: carryall push { $release } REGISTRY
visit-waits = { $name } is not complete; { $need }
visit-later = What was read is kept. `carryall visit` goes on from here.
visit-no-history = no visit yet
visit-log = { $at }  { $name }: { $what }
visit-log-read = volume { $volume } read in { $drive } in { $seconds } s: { $bad } of { $blocks } blocks damaged, { $percent } % of all bytes read
visit-log-missing = volume { $volume } is not here
visit-log-received = received: { $releases }, { $blocks } blocks healed
visit-log-top-up = receipt for a top-up: { $file }

## Plans, volumes and what is at hand

plan-alone = nothing was written
plan-disk = one disk as large as needed
plan-medium = medium { $size }
plan = plan: { $releases } ({ $original }) as { $payload } on { $total ->
        [one] { $total } volume of { $size }
       *[other] { $total } volumes of { $size } each
    } ({ $medium }): { $data } data, { $spare } spare
plan-bare = plan: { $releases } ({ $original }) as { $payload } in one file without volumes and parity
plan-guaranteed-loss = guaranteed: any { $spare } { $spare ->
        [one] volume
       *[other] volumes
    } may be lost; or, with none lost, one burst of { $burst } on every volume at once
plan-guaranteed-burst = guaranteed: one burst of { $burst } heals with the volume alone ({ $percent } % local parity; it takes the room that is left)
plan-likely = likely (99 %): { $lost } lost and { $percent } % of the sectors bad, scattered over the others
plan-likely-alone = likely (99 %): { $percent } % of the sectors bad, scattered
plan-remake = at the site: { $size } of opened archives are made again to prove them, about { $minutes } minutes of one core for `receive`, and as long to give them out
plan-date = date on the volumes: { $date }
plan-signed = signed with key { $id }, fingerprint { $fingerprint }
plan-sealed = { $whom }: nothing of names or contents stands outside. The same set cannot be made again, so keep the volumes until all has arrived
plan-program = program on each volume: { $file } for { $machine }, { $size }, SHA-256 { $sha256 }
plan-program-guides = beside it the operator guide in English and Chinese; { $size } a volume in all
plan-program-not-static = the program is not put on the volumes: it needs libraries of this system. A static one does not (--program FILE)
plan-program-no-room = the program is not put on the volumes: it would need another volume or too much of each (--with-program puts it there)
plan-program-unreadable = the program is not put on the volumes: its file cannot be read (--program FILE)
plan-space = space: { $needed } needed, { $free } free
plan-space-needed = space: { $needed } needed
packed-volume = { $path }  label: { $title }, set { $set }, { $number } of { $total }
packed-sealed-title = sealed
packed-spare = { $path }  label: { $title }, set { $set }, { $number } of { $total }, spare
packed = { $count } { $count ->
        [one] volume
       *[other] volumes
    } of set { $set } written to { $to }. Put each on its medium, then check what was really written: carryall verify PATH
packed-bare = { $path }: set { $set } in one file of { $size }. It heals nothing: whoever receives it is told of every wrong byte, and needs the file again then. Check a copy: carryall verify FILE
set-without-title = a set without a title
set-line = { $title } (set { $id }): { $data } data and { $spare } spare volumes of { $size }
set-at-hand = at hand: { $volumes }; written by { $by }; `carryall verify` says whether all is well
sealed-for-recipients = sealed for { $count ->
    [one] one recipient
   *[other] { $count } recipients
} (age, X25519)
sealed-with-passphrase = sealed with a passphrase (age)
sealed-for-others = sealed in a way that this program does not know
signed-trusted = signed by { $name } (key { $id }): { $comment }
signed-stranger = signed with key { $id }, which nobody trusts here (fingerprint { $fingerprint }): { $comment }
signed-wrong = { $count } { $count ->
        [one] signature is
       *[other] signatures are
    } wrong: not for this set, or not by the key it names
signed-unknown = { $count } { $count ->
        [one] signature is
       *[other] signatures are
    } of a kind that this program does not know
signed-not = not signed
key-made = the secret key is in { $secret }, the public one in { $public }
key-without-password = the secret key has no password: whoever reads the file can sign
key-made-next = keep the secret key and a copy of it where nobody else gets at it; give { $public } to the sites, and the fingerprint by telephone
key-id = key { $id }
key-fingerprint = fingerprint { $fingerprint }
key-line = { $key }
key-ask-new = password for the new key:
key-ask-again = the same again:
key-ask = password of { $path }:
seal-ask-new = passphrase to seal with:
seal-ask = passphrase to open with:
trust-added = sets signed by { $name } are taken from now on
trust-check = compare the fingerprint with the vendor by telephone before anything is received
trust-removed = { $name } (key { $id }) is trusted no longer; { $left ->
        [0] no key is left, and sets are taken whoever made them
        [one] one key is left
       *[other] { $left } keys are left
    }
trust-key = { $name }  key { $id }  fingerprint { $fingerprint }
trust-nobody = no key is trusted: sets are taken whoever made them (carryall trust add KEY)
trust-required = sets without a trusted signature are refused, with --unsigned too
trust-images-added = images that { $name } signed count as signed from now on
trust-images-added-for = images that { $name } signed count as signed from now on, when they are called { $images }
trust-images-hash = { $algorithm }, SHA-256 { $sha256 }
trust-images-check = compare the SHA-256 with the vendor by telephone: openssl pkey -pubin -in FILE -outform DER | sha256sum
trust-images-removed = { $name } (SHA-256 { $sha256 }) is trusted for images no longer
trust-images-key = { $name }  for images  { $algorithm }  SHA-256 { $sha256 }
trust-images-key-for = { $name }  for images called { $images }  { $algorithm }  SHA-256 { $sha256 }
history-line = { $no }  { $at }  { $what }: { $names }
history-replaced = { $name } (replaced other content)
history-more = and { $count } more
history-set = set { $id }
history-signed = signed by { $name } (key { $id })
history-signed-stranger = signed with key { $id }, which nobody trusted here
history-site = for site { $site }
history-from = from { $places }
history-to = to { $place }
history-not-whole = not all of it was whole
history-by = by user { $uid } on { $host }
history-receive = received
history-visit = received in a visit
history-add = added
history-pull = pulled
history-copy = copied
history-pack = packed
history-checkout = checked out
history-install = installed
history-push = pushed
history-load = loaded
history-remove = removed
history-other = something that this version does not know
history-empty = no line
history-written = { $count } { $count ->
        [one] line
       *[other] lines
    } written to { $path }
history-last = the last line of all is number { $no }, SHA-256 { $hash }; kept elsewhere, it proves later that nothing up to it was changed
history-hint = what is in the store is not touched by this: `carryall check --data` says whether it is whole. Keep a copy of the folder history in the store for whoever looks into it; when the folder is moved away, a new history begins
report-written = report: { $path }
report-written-signed = report: { $path }, signed: { $signature }
report-title-verify = Report on a check of media
report-title-receive = Report on the receipt of media
report-title-visit = Report on a visit with media
report-outcome-done = Done. All that was asked for is whole.
report-outcome-damage = Done, and damage is left.
report-outcome-more = Not complete: more volumes, or another release, are needed.
report-outcome-failed = Failed.
report-outcome-interrupted = Interrupted. This report has what was known by then.
report-exit-code = exit code { $code }
report-not-known = not known
report-more = and { $count } more
report-head-run = Run
report-command = Command
report-time = Time (UTC)
report-machine = Machine
report-user = { $host }, user { $uid }
report-program = Program
report-program-hash = SHA-256 of the program
report-store = Store
report-history = Last line of the history
report-history-line = line { $no }, SHA-256:
report-trusted = Trusted keys
report-trusted-keys = { $count ->
        [0] none: signatures decide nothing here
       *[other] { $count }
    }
report-scanned = Read
report-unread = Could not be read
report-head-media = Media
report-no-media = No medium was read.
report-medium = Read from
report-medium-at = When (UTC)
report-medium-device = Device
report-medium-model = Drive or disk
report-medium-serial = Serial number
report-medium-system = File system
report-usb-serial = USB:
report-volume-serial = serial:
report-kind-disc = disc in a drive
report-kind-disk = disk
report-kind-folder = folder
report-kind-file = file
report-kind-pipe = pipe
report-head-set = Volume set: { $name }
report-state = State
report-state-whole = whole
report-state-data-whole = all data is whole; something else is damaged or not at hand
report-state-recoverable = damaged, and everything can be brought back
report-state-needs-volumes = more volumes are needed
report-state-lost = damaged, and no volume of the set brings it back
report-state-received = received: its releases are in the store, every byte checked
report-state-already-here = its releases were in the store before
report-state-not-asked = nothing in it was asked for
report-state-needs-base = complete, and waiting for a release that it depends on
report-state-refused = refused by the site
report-state-failed = could not be received
report-set-id = Id
report-root = Signed hash (BLAKE3 root)
report-signed = Signed by
report-signed-trusted = { $name } (key { $id }), trusted by this site
report-signed-unknown = key { $id }; this site trusts no key yet
report-signed-stranger = key { $id }, NOT trusted by this site
report-signed-not = not signed
report-volumes = Volumes
report-volume-count = { $data } with data, { $spare } spare
report-why = Why
report-healed = Healed
report-healed-how = { $local } blocks by the parity of their volume, { $wide } by the other volumes, { $copied } by a second copy
report-wrong = Blocks with a right hash and a wrong content
report-head-volumes = Volumes, block by block
report-volume = Volume
report-volume-kind = Kind
report-volume-data = data
report-volume-spare = spare
report-volume-away = not read
report-blocks = Blocks
report-blocks-whole = Whole
report-blocks-bad = Bad
report-by-copy = Healed by a copy
report-by-own-parity = By its own parity
report-by-others = By other volumes
report-by-nothing = Not healed
report-bad-stretches = Bad blocks of volume { $number }: { $blocks }
report-head-releases = Releases
report-release-id = Id
report-head-lost = Lost items
report-head-findings = Other findings
report-no-findings = None.
report-head-hand = Signatures
report-hand-done = Done by
report-hand-checked = Checked by
report-hand-date = Date
report-hand-signature = Signature
report-file-signed = The file of this report is signed with key { $id } ({ $algorithm }, fingerprint { $fingerprint }). The signature is a file beside it.
report-file-not-signed = The file of this report is not signed.
report-written-by = Written by { $by } at { $at } (UTC).
volumes-away = { $volumes }: not at hand
volume = volume { $number }: { $state }
volume-spare = volume { $number } (spare): { $state }
volume-whole = whole
volume-bad = { $bad } of { $blocks } blocks bad ({ $percent } %): { $local } heal alone, { $wide } by the set, { $missing } not
verdict-whole = all volumes are whole
verdict-data-whole = all data is whole; what is bad or missing is not needed to receive it
verdict-recoverable = everything can be brought back: `receive` does it by itself, `repair` makes new discs
verdict-at-hand-whole = what is at hand is whole; for the whole set { $needed }
at-hand-whole = at hand and whole: { $volumes }; others of the set were not asked for
at-hand-not-whole = NOT whole: { $volumes }; write it again, and check it again
verify-no-volume = no carryall volume in { $path }
verify-unread = { $size } could not be read; another drive may read more
needs = still needed: { $what }
needs-any = still needed: any { $least } of { $volumes }
needs-rest = the rest of { $volumes }
needs-only-rest = of { $volumes } only the rest: reading it was broken off
needs-copy = another copy of { $volumes } would help too
lost = another copy of { $damaged } helps: another drive, a ddrescue image, or a new disc from the sender; several copies count together
lost-for-good = not even { $more } would complete it; another copy of { $damaged } helps: another drive, a ddrescue image, or a new disc from the sender; several copies count together
lost-item = not whole: { $item }
map-written = damage map: { $path }
nothing-to-repair = every volume is whole; nothing to repair
rebuilt = volume { $number } is whole again: { $path }
not-rebuilt = { $volumes } cannot be rebuilt with what is at hand

## Images and packages

count-images = { $count } { $count ->
        [one] image
       *[other] images
    }
count-components = { $count } { $count ->
        [one] component
       *[other] components
    }
count-plugins = { $count } { $count ->
        [one] plugin
       *[other] plugins
    }
count-package-repositories = { $count } package { $count ->
        [one] repository
       *[other] repositories
    }
count-packages = { $count } { $count ->
        [one] package
       *[other] packages
    }
package-repository = { $kind } repository { $place }: { $count }, { $size }
heading-repository-packages = packages in repositories:
diff-package = { $size }, packed about { $packed }
images = images: { $count }, { $own } without what they share
image = { $name }  { $platform }  { $layers } layers { $total } ({ $own } own)  { $digest }
image-without-name = (no name)
image-more-names = { $first } and { $more } more names
attachments = attached to the images: { $count } (taken out with: carryall checkout { $release } DEST --as attachments)
attachment = { $kind }  { $what }  of { $image }
attachment-signature = signature
attachment-sbom = SBOM
attachment-provenance = provenance
attachment-statement = statement
attachment-other = other
attachments-out = { $release }: { $count } { $count ->
        [one] attachment
       *[other] attachments
    }, { $total }, written to { $dest }, every digest checked; attachments.json lists them
documents = SBOMs and the like among the files: { $count }
signatures = signatures: { $verified } of { $count } { $count ->
        [one] image
       *[other] images
    } signed with a key that this site trusts for images ({ $keys } { $keys ->
        [one] key
       *[other] keys
    })
signatures-cut = there are more signatures than are read
signatures-no-key = no key is trusted for images here: carryall trust add cosign.pub --images
signatures-no-network = checked without a network: certificates and transparency logs were not asked
standing-verified = signed by { $names }
standing-verified-index = signed by { $names }, as part of the index { $index }
standing-other-name = signed with a trusted key that is not trusted for images of this name
standing-wrong = NOT signed: what stands beside it is no signature of this image
standing-stranger = signed by nobody whom this site trusts
standing-not-checked = signed in a way that is not checked here
standing-not-signed = not signed
standing-no-manifest = came without its manifest, which is what a signature signs
signature-cosign = cosign signature
signature-bundle = Sigstore bundle
signature-notation = notation signature
signature-statement = statement { $kind }
signature-statement-unread = statement
signature-verified = { $what }: by { $key }
signature-other-name = { $what }: by { $key }, which is trusted for other images
signature-copied = { $what }: by { $key }, but of another image, { $digest }
signature-other-image = { $what }: of another image, { $digest }
signature-wrong = { $what }: names a trusted key that did not make it; somebody changed it
signature-stranger = { $what }: by no trusted key, or changed
signature-keyless = { $what }: keyless, with a certificate; not checked here
signature-not-checked = { $what }: not checked here
signature-unreadable = { $what }: cannot be read
heading-images = images:
diff-image = { $new } of { $all } layers new, { $size } new, packed about { $packed }
package = { $kind } { $name } { $version } in { $item }: { $components }, { $plugins }, { $images }
package-template = application template
package-compose = docker compose package
package-slug = package without containers
package-helm = Helm package
package-yaml = Kubernetes YAML package
package-component = component
package-plugin = plugin
form-docker-archive = a docker archive
form-oci-layout = an OCI layout
images-out = { $release }: { $images }, { $total }, written to { $dest } as { $form }, every digest checked
loaded = { $release }: { $images }, { $total }, loaded with { $program }

## Registries

count-referrers = { $count } { $count ->
        [one] signature
       *[other] signatures
    } or other referrers
pulled = pulled { $reference }: { $what }
pulled-known = { $size } ({ $known } of it was here already)
push-pushed = pushed
push-there = there
push-only-platform = pushed, its only platform
push-refused = REFUSED, platforms are missing
pushed = { $release }: pushed { $sent } { $sent ->
        [one] blob
       *[other] blobs
    }, { $sent_bytes }, to { $registry }; { $there } were there, { $there_bytes }
hint-push-other-host = images whose names differ in the host alone need one name each: --keep-host keeps the hosts, --map HOST=PREFIX gives one a place of its own; the rest is in the registry, and whole
hint-push-nameless = an image without a name can be given one: `push ... --image DIGEST --as NAME:TAG`; the rest is in the registry, and whole
hint-push-left-out = what is marked above is not in the registry under its name; the rest is, and whole
serve-broken-off = broken off: { $why }
serve-ready = serving { $images } at { $url } (Ctrl-C ends it)
serve-packages = { $kind } repository at { $url } ({ $count })
serve-now = serving { $images } from now on
serve-docker-certificate = docker: the root certificate goes to /etc/docker/certs.d/{ $address }/ca.crt
serve-docker-insecure = docker: /etc/docker/daemon.json, then systemctl reload docker
log-line-left-out = (1 line of the log left out: it was not read in time)
log-lines-left-out = ({ $digits } lines of the log left out: they were not read in time)

## Versions side by side, and releases that stay

installed = { $release } is in { $path } ({ $total })
install-there = { $release } is in { $path } already
install-in-the-way = NOT taken over, something else is in its place: { $name }
install-kept = kept as edited here: { $name }
install-kept-beside = kept as edited here: { $name }; what the release brings is in { $beside }
install-shared = { $files } ({ $size }) did not change and share their room with the version before
install-switched = { $current } is switched from { $before }; back with: carryall rollback { $into }
install-current = { $current } leads to it
rolled-back = { $current } is switched back from { $left } to { $now }
keep = { $release } stays when `prune --keep-last` lets others go
keep-no-longer = { $release } is like any other again
let-go = { $release } is removed
let-go-kept = { $release } stays: it is marked by `keep`
let-go-awaited = { $release } stays: a set that is being received depends on it

## What makes a bundle heavy

heading-items = items (new bytes, packed about):
heading-kinds = kinds of content:
heading-contributors = most of it (new bytes, packed about):
more = ... and { $count } more (-v shows all)
weight-folder = { $path }/: { $files }
weight-rest = { $path }/, the rest: { $files }
weight-headers = headers of archives
weight-recipes = recipes
weight-tables = lists of files and blobs
weight-all-new = { $files }, none of them there before
weight-all-changed = { $files }, all changed
weight-some-changed = { $files }, { $known } of them changed
weight-layer = { $image } layer { $number } of { $all }
estimate = { $releases }: { $total }, of it { $new } distinct; a bundle of about { $packed }
estimate-delta = { $releases }: { $total }, of it { $new } not with { $receivers }; a bundle of about { $packed }
kind-meta = recipes and lists
kind-tar-headers = headers of archives
kind-text = text
kind-py-cache = compiled Python
kind-elf = programs for { $architecture }
kind-packed = compressed already
kind-other = other
kind-data = JSON and the like
kind-markup = markup and styles
kind-c = C and C++
kind-java = Java classes
kind-tables = small binary tables

## Doctor, manual pages

doctor-program = program: carryall { $version }, { $path }, for { $machine }, { $size }, SHA-256 { $sha256 }
doctor-program-static = program: carryall { $version }, { $path }, static, for { $machine }, { $size }, SHA-256 { $sha256 }
doctor-program-alone = program: carryall { $version }
doctor-store = store: { $path }, { $free } free
doctor-store-to-be = store: { $path } (not made yet), { $free } free
doctor-store-far = store: { $path }
doctor-temp = temporary files: { $path }, { $free } free
doctor-memory = memory: { $size } free
doctor-xorriso = images: { $version }
doctor-drive = drive: { $path } { $model }, { $tray }
doctor-burner = drive: { $path } { $model }, { $tray }; writes { $kinds }
doctor-locale = messages: { $language }, by { $variable }={ $value }
doctor-locale-unset = messages: { $language }, as none of LC_ALL, LC_MESSAGES and LANG is set
tray-open = tray open
tray-empty = empty
tray-busy = looking at its disc
tray-disc = with a disc
tray-unknown = tray unknown
advice-store-not-writable = you may not write to { $about }
    .hint = name a folder of yours: --store DIR, or export CARRYALL_STORE=DIR
advice-store-unreachable = the store at { $about } cannot be opened
    .hint = `carryall list` says why
advice-store-full = hardly any space is left at { $about }
    .hint = free some, or name a folder on another disk: --store DIR
advice-temp-not-writable = you may not write to { $about }
    .hint = name another folder for temporary files: export TMPDIR=DIR
advice-temp-full = hardly any space is left at { $about }
    .hint = name a folder on another disk for temporary files: export TMPDIR=DIR
advice-drive-not-readable = you may not read the drive
    .hint = sudo usermod -aG { $group } "$USER", then log in again; or run the command with sudo
advice-little-memory = memory is short
    .hint = commands work on fewer cores; end other programs, and pack without --effort max
advice-program-not-static = the program needs libraries of this system, so that it is not put on volumes
    .hint = take a static one (.ci/dist builds it), or name one: pack --program FILE
advice-program-unreadable = the program's own file cannot be read, so that it is not put on volumes
    .hint = name it: pack --program FILE
advice-xorriso-missing = xorriso is not installed: .iso images cannot be made
    .hint = apt-get install xorriso, or dnf install xorriso; folders and receiving need none
advice-no-drive = there is no optical drive
    .hint = connect one for discs; folders, images and USB disks need none
advice-no-chinese = messages are Chinese by { $about }, and this terminal does not show them
    .hint = use a terminal with UTF-8 and Chinese fonts, or English: export LC_ALL=C
doctor-note = note: { $what }
doctor-missing = MISSING: { $what }
doctor-usable = all that is necessary is there
doctor-not-usable = { $count } of what is necessary { $count ->
        [one] is
       *[other] are
    } missing: the lines with MISSING say what to do
man-written = { $count } manual pages written to { $to }; see one with man -l { $to }/man1/carryall.1
man-heading-name = Name
man-heading-synopsis = Synopsis
man-heading-description = Description
man-heading-notes = Notes
man-heading-see-also = See also

## The demo

demo-begins = 1. carrying { $given }, in { $stage } (removed in the end; nothing else is touched)
demo-added = 2. vendor: carryall add demo:1.0 ...   { $total } became { $stored }, rebuilt and compared
demo-packed = 3. vendor: carryall pack demo:1.0 --to discs --media ... --spare { $spare }   { $data } data and { $spare } spare volumes of { $size }
demo-hurt = 4. on the way: { $lost } is lost, and a burst on each of the others is overwritten ({ $scratched } in all)
demo-verify = 5. site: carryall verify discs
demo-same = 6. site: carryall checkout demo:1.0 back   { $total } given back: the same, byte for byte
demo-not-the-same = 6. site: carryall checkout demo:1.0 back   { $total } given back: NOT THE SAME
demo-next = next: carryall add NAME:VERSION PATH...; carryall pack NAME:VERSION --to DIR --media dvd; at the site: carryall receive PATH

## What findings are about

subject-media = media
subject-store = store
subject-incoming = incoming
subject-release = release { $release }
subject-pack = pack { $id }
subject-blob = blob { $id }
subject-set = set { $id }
subject-volume = set { $set }, volume { $volume_no }

## Findings: volumes and media

finding-volume-senseless-blocks = blocks whose numbers make no volume set, ignored
finding-volume-blocks-of-wrong-kind = { $count } blocks that name a wrong kind, ignored
finding-volume-blocks-with-other-numbers = { $count } blocks that claim this set with other numbers, ignored
finding-volume-blocks-of-no-set = { $count } blocks of no volume set, ignored
finding-volume-blocks-that-do-not-fit = { $count } blocks that do not fit this set, ignored
finding-volume-set-with-other-numbers = blocks claim this set with other numbers; those that fit its id count
finding-volume-sets-made-room = { $count } sets of which no catalog had come made room for others, the oldest first
finding-volume-wrong-blocks = blocks whose hashes are right do not hold what was packed
finding-media-cannot-be-read = cannot be read: { $why }
finding-media-cannot-be-opened = cannot be opened: { $why }
finding-media-link-loop = loop
finding-media-link-not-followed = a symbolic link, not followed; name what it leads to if that is a medium
finding-media-map-of-no-image = a map of ddrescue, and it is not clear of which image: name one image and its map, or give the map the image's name (volume2.map for volume2.img)
finding-media-tried-again = { $bytes } bytes in { $count } stretches could not be read yet: these are tried again for { $seconds } s at most (--retry-time)
finding-media-gaps = { $bytes } bytes could not be read, in { $count } stretches, the first at offset { $offset }
finding-media-joined = { $count } pieces up to { $last } are read as one file
finding-media-pieces-missing = { $count ->
    [one] a piece in between is missing; bring it into the same folder
   *[other] { $count } pieces in between are missing; bring them into the same folder
}
finding-media-bare-begin = the beginning of this bare bundle is damaged, so nothing of it can be placed; have the file sent again
finding-media-bare-changed = { $count ->
    [one] the bytes { $from } to { $to } of this file are not what was packed
   *[other] { $count } parts of this file are not what was packed, the first from byte { $from } to { $to }
}; have the file sent again, or name another copy too: what is right of either counts
finding-media-bare-cut = the file ends after { $bytes } of { $whole } bytes; have it sent again, or name another copy too: what is right of either counts
finding-media-raw-sectors = a raw image of { $bytes } bytes a sector, of which the user data are read
finding-media-in-order = a file system on which { $count ->
    [one] one file lies in several stretches, read in its order
   *[other] { $count } files lie in several stretches, read in their order
}
finding-media-text-mode-added = copied as text: a carriage return was put before every line feed; copy it again in binary mode
finding-media-text-mode-removed = copied as text: the carriage returns before line feeds were taken away; copy it again in binary mode
finding-media-unpacked = packed ({ $kind }), and unpacked while it is read
finding-media-packed = packed ({ $kind }), and its content cannot be read in place; unpack it first
finding-media-stream-broken = it broke off after { $bytes } unpacked bytes ({ $why }), and what lies behind is lost; copy the file again
finding-history-lines-missing = the history lacks { $count } { $count ->
        [one] line (number { $from })
       *[other] lines (numbers { $from } to { $to })
    }
finding-history-line-misplaced = line { $no } of the history stands at the wrong place
finding-history-line-changed = line { $no } of the history was changed, or line { $next }
finding-history-last-line-changed = line { $no } of the history, the last one, was changed
finding-history-note-missing = the history has lost the note of its last line, so lines may be missing at its end
finding-history-not-written = done, but not recorded in the history: { $why }
finding-history-not-read = the history cannot be read: { $why }
finding-pack-set-not-remembered = not remembered, so a top-up of it will be larger: { $why }

## Findings: the store

finding-store-cannot-be-read-now = cannot be read now: { $why }
finding-store-file-damaged = { $why }
finding-store-file-cut-short = it is cut short
finding-store-index-entries-damaged = entries are damaged
finding-store-index-made-again = { $why }; made again from the packs
finding-store-index-to-be-made-again = { $why }; opening for writing makes it again from the packs
finding-store-quarantine-lost = the list of damaged frames is damaged itself; `carryall check --data` makes it again
finding-store-chunks-lost = { $count } needed chunks have no intact copy
finding-store-ready-copy-damaged = the copy that was kept ready is damaged; it is made again when it is needed
finding-store-stream-changed = { $why }
finding-store-no-folder-of-roots = there are packs, and the folder with the roots of all releases is gone: is a disk not mounted there?
finding-store-release-root-damaged = its root is damaged, and what is in it is not known: { $why }; receive it again, or `carryall rm { $release }` takes it out of the store
finding-store-root-of-another = its root is that of { $other }
finding-pack-file-missing = is missing
finding-pack-file-too-short = too short for a pack
finding-pack-file-table-damaged = its table is damaged; its frames were searched for
finding-pack-file-frame-damaged = frame at { $offset } is damaged
finding-pack-file-frame-quarantined = frame at { $offset } is damaged and quarantined: { $why }

## Findings: files, items and receipts

finding-files-socket-left-out = a socket, left out
finding-files-flags-not-carried = file flags are not carried (lsattr): { $flags }
finding-files-more-of-this-kind = { $count } more of this kind
finding-files-attributes-withheld = security attributes and capabilities withheld, { $count } in all (--privileged restores them): { $paths }
finding-files-devices-withheld = devices not made, { $count } in all (--privileged makes them): { $paths }
finding-files-owners-withheld = owners withheld on { $count } { $count ->
        [one] entry
       *[other] entries
    } (--privileged restores them): { $owners }
finding-files-set-id-withheld = setuid or setgid withheld on { $count } { $count ->
        [one] entry
       *[other] entries
    } (--privileged restores it): { $paths }
finding-files-owners-not-restored = owner not restored on { $count } entries: only root can
finding-files-owner-not-restored = owner not restored: { $why }
finding-files-mode-not-restored = mode not restored: { $why }
finding-files-time-not-restored = time not restored: { $why }
finding-files-attribute-not-restored = extended attribute { $name } not restored: { $why }
finding-files-device-not-made = device not restored: only root can
finding-files-not-made = not restored: { $why }
finding-files-file-lost = the file is lost: { $why }
finding-files-link-lost = the link is lost: corrupt hard link: its other name is not there
finding-files-rest-lost = what else is in it is lost: { $why }
finding-checkout-item-lost = the item is lost: { $why }
finding-add-part-kept-as-it-came = a part is kept as it came, since it did not come back: { $why }
finding-add-item-kept-as-it-came = stored as it came, since it could not be rebuilt: { $why }
finding-receipt-release-unread = left out of the receipt: { $why }
finding-receipt-lacks-too-much = left out of the receipt: it lacks { $count } chunks
finding-receipt-full = left out of the receipt: it is full

## Findings: images and packages

finding-image-part = { $what } { $why }
finding-image-config = config { $config }
finding-image-layer = layer { $layer }
finding-image-not-in-archive = is not in the archive
finding-image-twice-in-archive = is in the archive twice, with different bytes
finding-image-outside-of-archive = lies outside of the archive
finding-image-link-to-nothing = is a link that leads nowhere
finding-image-archive-unreadable = cannot be looked into: { $why }
finding-image-compressed-whole = is compressed with { $with } as a whole, and not looked into: what images it has is not known
finding-image-too-deep = is not looked into: too many archives, or too deep in one another
finding-image-more-archives = has more archives and folders than are looked into
finding-image-more-files = has more than { $limit } files: only the first are looked at
finding-image-no-index = index.json is not an index of images
finding-image-long-document = { $name } is longer than the 4 MiB that are read
finding-image-unreadable-document = { $name } cannot be read: { $why }
finding-image-long = is longer than the 4 MiB that are read
finding-image-cannot-be-read = cannot be read: { $why }
finding-image-other-length-kept = has { $bytes } bytes, and its manifest says { $said }: its digest is right, and it stays
finding-image-other-length = has { $bytes } bytes, and { $said } are said
finding-image-does-not-match = does not match its digest: it is { $found }
finding-image-no-config = is no config: { $why }
finding-image-bad-diff-id = has a diff id that is no digest
finding-image-other-layers-than-archive = has { $said } layers, and manifest.json { $there }
finding-image-other-layers-than-config = has { $there } layers, and its config { $said }
finding-image-too-many-indexes = lies in too many indexes, or is one of too many
finding-image-no-digest = is no digest
finding-image-no-manifest = is no manifest: { $why }
finding-image-unknown-manifest = is no manifest of a known kind
finding-image-without-config = has no config
finding-image-one-too-many = is left out: there are more images than are looked at
finding-image-name-of-two = is the name of two images: { $first } and { $second }
finding-image-lost = the image is lost: { $why }
finding-image-name-not-for-docker = docker takes no such name: the image is there without it
finding-package-long-metadata = metadata.json is longer than the 32 MiB that are read: whether this is a package is not known
finding-package-and = { $all } and { $name }
finding-package-mixed-platforms = mixes platforms: components or images for { $what }
finding-package-image-missing = image { $image } of { $component } is not in the package
finding-package-twin = is { $name } { $version } with another content than { $other }: two contents under one version
finding-name-not-for-registries = has a name that no registry takes: { $why }
finding-name-none = image { $image } has no name, and is left out
finding-name-second = two contents have this name and platform: { $digest } stands, the other is left out
finding-name-second-by-digest = two contents have this name: { $first } stands, { $second } is there by its digest alone
finding-name-other-host = without its host this is the name of another image, { $name }, which stands: this one is left out
finding-name-by-host = is for whoever asks with its host, as containerd does; without a host the name is that of { $name }
finding-name-moved = stands for what { $newer } has; { $digest } of { $older } is there by its digest alone
finding-referrer-of-nothing = refers to { $digest }, which is not there under a name: it is left out
finding-referrer-of-index = refers to { $digest }, the index of all platforms: it is left out with that
finding-load-program-not-working = is installed and does not work: { $why }; { $other } does, and is taken
finding-load-left-behind = has now, from this or from before: { $names }
finding-load-nothing-left-behind = has none of these images under its name: nothing was left behind

### Help pages. `help-COMMAND` is one line, `-long` says more, `-arg-NAME` is an argument or option,
### `-value-NAME-VALUE` a value that it takes. An argument that several commands share is `help-arg-NAME`.

help-about = Carries software releases across an air gap on discs and USB disks.
help-usage = Usage:
help-options-tag = [OPTIONS]
help-command-tag = COMMAND
help-heading-arguments = Arguments:
help-heading-options = Options:
help-heading-commands = Commands:
help-heading-global = Global options:
help-heading-examples = Examples:
help-group-vendor = At the vendor:
help-group-media = Media, anywhere:
help-group-site = At the site:
help-group-both = The store, at both:
help-default = { $help } [default: { $value }]
help-value = - { $value }: { $about }
help-more = `carryall help COMMAND` shows what a command takes, with examples.
help-after =
    Exit codes: 0 done; 1 failed; 2 usage; 3 done, damage is left; 4 more volumes, or the release that a delta depends on, are needed; 130 interrupted.
    Sizes: MB is 10^6 bytes, MiB is 2^20. Messages are Chinese when the locale (LC_ALL, LC_MESSAGES, LANG) is.
    A PATH of media is a mounted volume, a folder of volumes, an .iso or raw image, a block device, a single volume file, or a damaged copy of any of these. It is recognized by content, never by name.
help-examples =
    # At the vendor: make a release, and write it as disc images, one of them spare
    carryall add shop:1.0 web.tar docs/
    carryall pack shop:1.0 --to discs --media dvd --spare 1 --iso
    # At the site: take in one disc after another, then give the release back
    carryall receive /media/cdrom
    carryall checkout shop:1.0 /srv/shop

help-name-release = RELEASE
help-name-releases = RELEASE
help-name-from = RELEASE
help-name-to = RELEASE
help-name-name = NAME
help-name-paths = PATH
help-name-path = PATH
help-name-dir = DIR
help-name-dest = DEST
help-name-file = FILE
help-name-file-html = FILE.html
help-name-file-png = FILE.png
help-name-file-pem = FILE.pem
help-name-set = SET
help-name-number = NUMBER
help-name-n = N
help-name-percent = PERCENT
help-name-seconds = SECONDS
help-name-kind = KIND
help-name-how = HOW
help-name-code = CODE
help-name-form = FORM
help-name-program = PROGRAM
help-name-os-arch-variant = OS/ARCH[/VARIANT]
help-name-receipt = RECEIPT
help-name-text = TEXT
help-name-device = DEVICE
help-name-yyyy-mm-dd = YYYY-MM-DD
help-name-ref = REF
help-name-registry = REGISTRY
help-name-host-prefix = HOST=PREFIX
help-name-address-port = ADDRESS:PORT
help-name-shell = SHELL
help-name-glob = GLOB

help-arg-store = The store: a folder, or s3://BUCKET/PREFIX [default: $CARRYALL_STORE, else carryall in the user's data directory]
help-arg-json = Reports as one JSON document on stdout, progress as JSON lines on stderr
help-arg-quiet = No progress bar
help-arg-log = Add to a file what is done, to send it home when something went wrong: no passwords in it [default: $CARRYALL_LOG, else none]
help-arg-verbose = Every finding and every line of long lists, not only the first ones
help-arg-help = Print help
help-arg-version = Print the version
help-arg-release = NAME:VERSION[@ARCH]
help-arg-image = Only this image: its name, with or without host and tag, or the beginning of its digest or id; may be given several times
help-arg-platform = Only images for this platform; may be given several times. Where RELEASE says no architecture and this is given once, RELEASE@ARCH is meant when it is there
help-arg-plain-http = Speak plain HTTP to the registry; to this machine it is so by itself
help-arg-ca = Root certificates of the registry besides this machine's own

help-add = Make a release of files and folders, or extend it
help-add-long = Each path becomes one item of the release. What was stored is read back and compared before the release counts. The store is created when there is none.
help-add-arg-paths = Docker archives, OCI layouts, any files and folders; each becomes an item named as the file or folder is. docker://REF: an image in a registry, by tag or digest; -: what comes on standard input. NAME=PATH, NAME=docker://REF, NAME=-: the item is called NAME
help-add-arg-name = What the only item is called, or the one from docker://REF or - [default: the file's name; HOST_REPOSITORY_TAG; stdin.tar]
help-add-arg-platform = Pull images for this platform alone, such as linux/arm64; may be given several times [default: all]
help-add-arg-open = Whether compressed streams and archives, such as gzip, zip and xz, are opened, so that what is in them is known when it comes again
help-add-value-open-auto = open what pays
help-add-value-open-none = keep all as they came
help-add-arg-open-recipe = A stream whose recipe would be more than this part of it is kept as it came
help-add-arg-open-seconds-per-gb = After 10 s of processor time, a stream is kept as it came when opening it takes more for each GB of plain bytes; 0: no limit
help-add-arg-ready = Keep compressed layers ready besides, as `receive` does: for a store that images are pushed or served from
help-add-examples =
    # An image that `docker save` wrote, and a folder
    carryall add shop:1.0 web.tar docs/
    # An image straight from a registry, for one platform
    carryall add shop:1.0 docker://registry.example/shop/web:1.0 --platform linux/arm64
    # What a program writes, under a name of its own
    docker save shop/web:1.0 | carryall add shop:1.0 web.tar=-

help-list = List the releases in the store
help-list-long = One line for each release: its name, its size, its items and the beginning of its id.
help-list-examples =
    # The store of this user
    carryall list
    # Another store
    carryall list --store /srv/carryall
    # For a script
    carryall list --json

help-show = Show what a release is made of
help-show-long = Lists items, packages, images with their names, platforms and digests, and the compressed streams that are kept as they came.
help-show-arg-verify = Verify the signatures of the images, with the keys that `trust add --images` added and without a network; the exit code is 3 unless every image is signed
help-show-examples =
    # All of it
    carryall show shop:1.0
    # One image
    carryall show shop:1.0 --image shop/web
    # Who signed the images
    carryall show shop:1.0 --verify

help-diff = Show how two releases differ, how much is new, and where most of it lies
help-diff-long = Both releases must be in the store. The sizes are those of a delta for whoever has the older one.
help-diff-arg-from = The older: NAME:VERSION[@ARCH]
help-diff-arg-to = The newer: NAME:VERSION[@ARCH]
help-diff-examples =
    # What the next version brings
    carryall diff shop:1.0 shop:1.1
    # Every folder and file, not only the largest
    carryall diff shop:1.0 shop:1.1 --verbose
    # One architecture
    carryall diff shop:1.0@arm64 shop:1.1@arm64

help-rm = Take a release out of the store; `prune` frees its space
help-rm-long = What other releases need stays.
help-rm-examples =
    # One release
    carryall rm shop:1.0
    # The one for one architecture
    carryall rm shop:1.0@arm64
    # Out of another store
    carryall rm shop:1.0 --store /srv/carryall

help-copy = Copy releases into another store, only what it does not have
help-copy-long = Each of the two stores may be a folder or an address in an object store, such as s3://BUCKET/PREFIX. The other store is made when there is none. A copy that was cut short goes on where it was when it is started again. Nothing is replaced.
help-copy-arg-releases = The releases
help-copy-arg-to = The other store
help-copy-examples =
    # Up into an object store
    carryall copy shop:1.0 shop:1.1 --to s3://releases/team
    # And down into a folder
    carryall copy shop:1.1 --store s3://releases/team --to /srv/carryall
    # From one folder to another, such as that of a second disk
    carryall copy shop:1.1 --to /mnt/second/carryall

help-prune = Free the space of chunks that no release needs
help-prune-long = Packs that no release needs are removed, and those of which much is unused are written anew.
help-prune-arg-keep-last = First take out all but the N newest versions of each name and architecture, and those that `keep` marked
help-prune-arg-ready = Drop also the compressed layers and files that are kept ready: they are made again when they are asked for
help-prune-arg-grace = In a bucket: how long a pack stays after it was marked, such as 12h or 30d. Each add, pack and checkout must take less [default: 7d, or what carryall.toml says]
help-prune-examples =
    # After `rm`
    carryall prune
    # The three newest versions stay
    carryall prune --keep-last 3
    # As much room as can be
    carryall prune --ready

help-keep = Mark a release as one that `prune --keep-last` leaves in the store
help-keep-long = The mark is for retention alone: `rm` takes a marked release out all the same.
help-keep-arg-no-longer = Take the mark away
help-keep-examples =
    # The version that is in use at a site
    carryall keep shop:1.0
    # No longer
    carryall keep shop:1.0 --no-longer
    # One architecture
    carryall keep shop:1.0@arm64

help-pack = Write releases to a set of discs or disks
help-pack-long = The plan is printed first: volumes, spares, and what damage is guaranteed to heal. With --since, --for or --site the set is a delta: it has only what the receiver does not have.
help-pack-arg-releases = NAME:VERSION[@ARCH]; several go onto one set
help-pack-arg-platform = Where a release is named without architecture, the one for this platform is meant: RELEASE@ARCH, if it is there
help-pack-arg-to = Folder that gets one folder or .iso a volume
help-pack-arg-bare = Write one verified file without volumes and parity instead, for a channel that is narrow and reliable, such as a data diode or an upload form. It is received, checked and signed as volumes are, and heals nothing
help-pack-arg-plan = Only print the plan: volumes, spares and what is guaranteed. It is exact, takes as long as compressing does, and nothing is written
help-pack-arg-estimate = Only say about what the bundle will weigh, by item, image and kind of content; nothing is written
help-pack-arg-media = cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb (one disk, as large as needed) or an exact size such as 8GB: for discs, FAT32 and exFAT
help-pack-arg-sectors = Exact size of the medium in sectors of 2048 bytes
help-pack-arg-media-at = The medium is what is mounted here: its file system is asked what is free, whichever it is
help-pack-arg-since = Leave out what a receiver of this release has; given several times, what all such receivers have. `A,B`: one that has both
help-pack-arg-receipts = Leave out what a site with this receipt has: a file, or the text itself; given several times, what all of them have
help-pack-arg-for-all = Pack for all remembered sites: one set for all of them or one for each, whichever is less to carry; with --estimate only the figures
help-pack-arg-site = Remember the receipt and what was packed under this name; without --for and --since, pack for what is remembered
help-pack-arg-spare = Spare volumes: any so many may be lost [default: 1 from two data volumes on]
help-pack-arg-many-spares = As many spares as --spare says, however few volumes have data
help-pack-arg-contact = Whom the site may ask, on the page of each volume: one line of 200 characters at most
help-pack-arg-date = The day on the page of each volume [default: that of $SOURCE_DATE_EPOCH, else the day the newest of the releases was made]
help-pack-arg-local = Local parity in percent: damage that one volume heals alone [default: 3 with spares, else 10; more where room is left]
help-pack-arg-effort = How hard to compress
help-pack-value-effort-fast = as fast as disks
help-pack-value-effort-default = small in reasonable time
help-pack-value-effort-max = as small as possible; several times slower
help-pack-arg-iso = Write .iso images, ready to burn, instead of folders
help-pack-arg-with-program = Put this program on every volume with its SHA-256 and the operator guide, whatever room it takes [default: when it takes no further volume and at most 5 % of each]
help-pack-arg-without-program = Put no program on the volumes
help-pack-arg-program = Put another static program on every volume too, such as the one for arm64; several times for several machines
help-pack-arg-sign = Sign the set with this secret key, for the sites that trust it; several times for several signers
help-pack-arg-password-file = Read the password of the keys from the first line of a file [default: $CARRYALL_KEY_PASSWORD, else ask]
help-pack-arg-seal-to = Seal the set for this age recipient (age1...), so that only the holder of its identity opens it; several times for several. Anybody can still check and repair the volumes
help-pack-arg-recipients-file = Seal it for the recipients in this file too, one on each line; may be given several times
help-pack-arg-passphrase = Seal it with a passphrase instead, which is asked for
help-pack-arg-passphrase-file = Seal it with the passphrase in the first line of a file
help-pack-arg-read-back = Read the volumes back from the disk and compare them, past the memory of the system; always done on USB disks and others that can be taken out
help-pack-arg-codec = The parity code
help-pack-value-codec-gf16 = Reed-Solomon over GF(2^16), fast
help-pack-value-codec-gf8 = Reed-Solomon over GF(2^8): slower, the classical one that other programs can decode
help-pack-examples =
    # Disc images to burn, two of which may be lost
    carryall pack shop:1.0 --to discs --media bd --spare 2 --iso
    # Only what a site with version 1.0 does not have, on one USB disk
    carryall pack shop:1.1 --since shop:1.0 --to usb --media usb
    # For a site that sent its receipt
    carryall pack shop:1.1 --for plant-7.receipt --site plant-7 --to discs --media dvd
    # Signed, so that the site knows whose it is
    carryall pack shop:1.1 --sign vendor.key --to discs --media dvd

help-inspect = Show what volumes hold
help-inspect-long = Lists releases and items of each set, and which of its volumes are at hand. `verify` says whether they are whole.
help-inspect-arg-paths = Media, images, folders or volume files
help-inspect-arg-identity = Look into sealed sets with the age identities in this file, when all of their data volumes are at hand; may be given several times
help-inspect-arg-passphrase = Look into sealed sets with a passphrase, which is asked for
help-inspect-arg-passphrase-file = Look into sealed sets with the passphrase in the first line of a file
help-inspect-examples =
    # The disc in the drive
    carryall inspect /media/cdrom
    # A disc whose file system is gone
    carryall inspect /dev/sr0
    # Images in a folder
    carryall inspect discs/

help-verify = Check volumes: what is damaged or missing, and whether everything can be brought back
help-verify-long = Reads every block. Nothing is changed, neither on the media nor in a store.
help-verify-arg-paths = Media, images, folders or volume files; several copies of one volume count together
help-verify-arg-map = Draw the damage, volume by volume, into an HTML page
help-verify-arg-at-hand = Ask only whether what is at hand is whole, as after burning one disc: exit code 0 when it is, 3 when it is not, however many volumes of the set are not here
help-verify-arg-report = Keep what was read, who signed it, what was bad and what was healed, as a page to be printed (.html) or a document (.json); never over another file
help-verify-arg-report-key = Sign the report with this secret key; minisign checks it, unless it is an SM2 key [default: $CARRYALL_REPORT_KEY]
help-verify-arg-password-file = Read the key's password from the first line of a file [default: $CARRYALL_KEY_PASSWORD, else it is asked for]
help-verify-arg-retry-time = For how long bad sectors are tried again, when everything else was read: 90s, 5m, 2h, or 0 for not at all
help-verify-examples =
    # A disc that was just burned
    carryall verify /media/cdrom --at-hand
    # A whole set, with a page that shows where the damage is
    carryall verify discs/ --map damage.html
    # Two poor copies of one volume together
    carryall verify first.iso second.iso

help-repair = Rebuild damaged or lost volumes, byte for byte as they were written
help-repair-long = `receive` needs no repair before it: it heals by itself. This is for new discs in place of bad ones.
help-repair-arg-paths = All that is left of the set: media, images, folders or volume files
help-repair-arg-to = Folder that gets the rebuilt volumes
help-repair-arg-volume = Rebuild this volume even when it is whole; may be given several times [default: every volume that is not whole]
help-repair-arg-iso = Write .iso images instead of folders
help-repair-arg-retry-time = For how long bad sectors are tried again, when everything else was read: 90s, 5m, 2h, or 0 for not at all
help-repair-examples =
    # Whatever is not whole
    carryall repair discs/ --to new
    # Volume 3 as an image to burn
    carryall repair discs/ --to new --volume 3 --iso
    # From what ddrescue read of each disc
    carryall repair 1.img 2.img 4.img --to new

help-visit = Receive disc after disc with one drive: says which volume to put in next, and why
help-visit-long = Recognizes whatever is put in, reads what is needed, opens the tray, and asks for the next volume until the set is complete. It can be stopped at any time, also by a power cut: the next visit goes on where it was. When no volume is left that helps, it gives out a receipt from which the vendor makes a top-up. Ends with exit code 4 while something is still needed.
help-visit-arg-drive = The drive, or a path at which media appear, such as /media/cdrom [default: every optical drive]
help-visit-arg-platform = Only releases for this platform, RELEASE@ARCH, and those that say no architecture; may be given several times [default: all]
help-visit-arg-report = Keep what was read, who signed it, what was bad and what was healed, as a page to be printed (.html) or a document (.json); never over another file
help-visit-arg-report-key = Sign the report with this secret key; minisign checks it, unless it is an SM2 key [default: $CARRYALL_REPORT_KEY]
help-visit-arg-password-file = Read the key's password from the first line of a file [default: $CARRYALL_KEY_PASSWORD, else it is asked for]
help-visit-arg-retry-time = For how long bad sectors of a disc are tried again, when everything else was read: 90s, 5m, 2h, or 0 for not at all
help-visit-arg-unsigned = Take sets too that nobody signed whom this site trusts
help-visit-arg-replace = Take sets too that replace a release, are older than what came before, or were made for another site
help-visit-arg-identity = Open sealed sets with the age identities in this file; may be given several times
help-visit-arg-passphrase = Open sealed sets with a passphrase, which is asked for
help-visit-arg-passphrase-file = Open sealed sets with the passphrase in the first line of a file
help-visit-arg-to = Folder that gets the receipt for a top-up, when one is needed [default: the current one]
help-visit-arg-history = Show which disc was read when, and how good it was; reads nothing
help-visit-examples =
    # one drive, disc after disc
    carryall visit
    # the second drive; the receipt goes to a USB disk if one is needed
    carryall visit --drive /dev/sr1 --to /media/usb1
    # what was read so far, for the records
    carryall visit --history
help-receive = Take volumes into the store: any order, one or several at a time, again after an interruption
help-receive-long = Says which volumes are still needed, and ends with exit code 4 until the set is complete. Damage is healed as far as the volumes allow. The store is created when there is none.
help-receive-arg-paths = Media, images, folders or volume files
help-receive-arg-platform = Only releases for this platform, RELEASE@ARCH, and those that say no architecture; may be given several times. The others are neither asked for nor stored; without it, the same volumes bring them later [default: all]
help-receive-arg-report = Keep what was read, who signed it, what was bad and what was healed, as a page to be printed (.html) or a document (.json); never over another file
help-receive-arg-report-key = Sign the report with this secret key; minisign checks it, unless it is an SM2 key [default: $CARRYALL_REPORT_KEY]
help-receive-arg-password-file = Read the key's password from the first line of a file [default: $CARRYALL_KEY_PASSWORD, else it is asked for]
help-receive-arg-retry-time = For how long bad sectors are tried again, when everything else was read: 90s, 5m, 2h, or 0 for not at all
help-receive-arg-unsigned = Take sets too that nobody signed whom this site trusts
help-receive-arg-replace = Take sets too that replace a release, are older than what came before, or were made for another site
help-receive-arg-identity = Open sealed sets with the age identities in this file; may be given several times. Without PATH, sets that wait for it are opened
help-receive-arg-passphrase = Open sealed sets with a passphrase, which is asked for
help-receive-arg-passphrase-file = Open sealed sets with the passphrase in the first line of a file
help-receive-examples =
    # One disc after another
    carryall receive /media/cdrom
    # All images at once
    carryall receive discs/
    # Only what runs here
    carryall receive /media/cdrom --platform linux/arm64

help-burn = Burn volumes disc by disc, and read every disc back
help-burn-long = Asks for a blank disc for each volume, checks its capacity first, and burns it with xorriso. Then the disc is ejected and loaded again and compared with the volume, so that it is the disc that is read. What was found good is remembered beside the volumes: the same command burns the rest.
    Exit codes: 0 all volumes are on good discs; 3 some are; 1 none is.
help-burn-arg-paths = Volumes (.iso images or folders), or folders of volumes
help-burn-arg-device = The drive, or stdio:FILE
help-burn-arg-speed = The speed, as the drive counts it, such as 4; slower discs are often better ones
help-burn-arg-erase = Erase rewritable discs that hold something, without asking
help-burn-arg-again = Burn also what was burned and found good before
help-burn-examples =
    # All volumes in a folder, disc by disc
    carryall burn images/
    # One volume, slowly
    carryall burn images/shop-1.0-1f66bd6b-vol02of05.iso --device /dev/sr1 --speed 4
    # What is good already is burned again, on discs that hold something
    carryall burn images/ --again --erase

help-labels = Make a page with labels for sleeves and disc faces, to be printed
help-labels-long = Each volume gets a sheet of A4 with a sleeve of 125 mm and a disc face of 116 mm, in Chinese and English. The labels name release, set, volume, data or spare and date, and have a QR code and lines for a number, a ledger and a signature.
help-labels-arg-paths = Volumes (folders, images or drives), or folders of volumes
help-labels-arg-to = The page; an earlier page of labels is replaced [default: labels-SET.html]
help-labels-arg-number = Number of the media in the books of the place; each gets this text, a dash and its volume number
help-labels-examples =
    # All volumes in a folder
    carryall labels discs/
    # With numbers MR-2026-17-1, MR-2026-17-2 and so on
    carryall labels discs/ --number MR-2026-17 --to labels.html
    # One volume
    carryall labels discs/shop-1.0-1f66bd6b-vol02of05

help-receipt = Say in tens of bytes what this store holds, so that the vendor sends only what it lacks
help-receipt-long = The vendor gives it to `pack --for`. It holds the ids of releases and of what is lost or damaged, and no file names.
help-receipt-arg-out = Write it to a file [default: print it as text that can be typed or read out]
help-receipt-arg-png = Write its QR code to a picture, which a phone reads; several codes, when it is long, to NAME-1of3.png and so on
help-receipt-arg-qr = Show its QR code on the terminal, or several codes one after the other
help-receipt-examples =
    # To be read out over the phone
    carryall receipt
    # As a file to send
    carryall receipt -o plant-7.receipt
    # To be photographed where no file may leave the room
    carryall receipt --qr
    # For a script
    carryall receipt --json

help-key = Make keys, with which `pack --sign` signs sets
help-key-long = Keys and signatures have the form of minisign, which checks them too. The secret key stays with the vendor. The public one goes to the sites, which trust it with `carryall trust add`.
help-key-examples =
    # A pair of keys; the password is asked for twice
    carryall key new vendor.key
    # Sign a set with it
    carryall pack shop:1.0 --sign vendor.key --to discs --media dvd
    # What to say on the telephone
    carryall key show vendor.pub
help-key-new = Make a pair of keys
help-key-new-long = The secret key goes into FILE, which only its owner can read, and the public key beside it, with the ending .pub. No file is replaced.
help-key-new-arg-file = File of the secret key, such as vendor.key
help-key-new-arg-algorithm = How the key signs
help-key-new-value-algorithm-minisign = Ed25519; plain minisign checks it
help-key-new-value-algorithm-sm2 = SM2 with SM3; not a certified module
help-key-new-arg-no-password = Do not encrypt the secret key: whoever reads the file can sign
help-key-new-arg-password-file = Read the password from the first line of a file [default: $CARRYALL_KEY_PASSWORD, else ask twice]
help-key-new-examples =
    # The password is asked for
    carryall key new vendor.key
    # For a build server, which keeps the file safe by other means
    carryall key new /etc/carryall/build.key --no-password
    # With the password of a secret store
    carryall key new build.key --password-file /run/secrets/key
help-key-show = Show id and fingerprint of a public key
help-key-show-long = The id tells keys apart, and anybody can make a key with any id. The fingerprint is what people compare.
help-key-show-arg-key = The file that ends in .pub, or the line of 56 or 100 characters in it
help-key-show-examples =
    # A file
    carryall key show vendor.pub
    # A line
    carryall key show RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3
    # For a script
    carryall key show vendor.pub --json

help-trust = Whose sets a site takes
help-trust-long = As soon as one key is trusted, `receive` and `visit` take only sets that a trusted key signed. The keys are in the file trust.toml in the store.
help-trust-examples =
    # The vendor's key, and its fingerprint to be compared by telephone
    carryall trust add vendor.pub --name "Example Ltd"
    # Who is trusted
    carryall trust list
    # Take nothing else, even with --unsigned
    carryall trust require
help-trust-add = Trust a key from now on
help-trust-add-long = Compare the fingerprint with the vendor by telephone: a key that came with the discs proves nothing. The store is created when there is none.
help-trust-add-arg-key = The file that ends in .pub, or the line of 56 or 100 characters in it
help-trust-add-arg-name = What it is called here [default: the name of the file, else its id]
help-trust-add-arg-images = It is a key that images are signed with, in PEM, as cosign.pub is: `show --verify` and `push --require-signed` check with it, and no set is taken because of it
help-trust-add-arg-patterns = Trust it for images of these names alone: [HOST/]REPOSITORY without a tag, * for any characters; may be given several times [default: all images]
help-trust-add-examples =
    # A file
    carryall trust add vendor.pub
    # A line, with a name
    carryall trust add RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3 --name "Example Ltd"
    # A key that images are signed with, for images of one name
    carryall trust add cosign.pub --images --for "registry.example/shop/*"
help-trust-list = List the keys that are trusted
help-trust-list-long = One line for each key: its name here, its id and its fingerprint.
help-trust-list-examples =
    # All keys
    carryall trust list
    # Those of another store
    carryall trust list --store /srv/carryall
    # For a script
    carryall trust list --json
help-trust-rm = Trust a key no longer
help-trust-rm-long = Releases that came with it stay. When the last key goes, sets are taken whoever made them.
help-trust-rm-arg-key = Its name, its id, or the line of the key
help-trust-rm-examples =
    # By its name
    carryall trust rm "Example Ltd"
    # By its id
    carryall trust rm E7620F1842B4E81F
    # In another store
    carryall trust rm "Example Ltd" --store /srv/carryall
help-trust-require = Refuse sets without a trusted signature, even when --unsigned asks for them
help-trust-require-long = What is in the store stays.
help-trust-require-arg-no-longer = Let --unsigned take such sets again
help-trust-require-examples =
    # From now on
    carryall trust require
    # No longer
    carryall trust require --no-longer
    # In another store
    carryall trust require --store /srv/carryall

help-site = What is remembered of the sites that bundles were packed for
help-site-long = `pack --site` remembers the last receipt of a site and what was packed for it.
help-site-examples =
    # All sites
    carryall site list
    # One that is gone
    carryall site forget plant-7
    # What to call a site, when packing
    carryall pack shop:1.1 --site plant-7 --to discs --media dvd
help-site-list = List them: their last receipt, and what was packed for them last
help-site-list-long = One line for each site.
help-site-list-arg-next = Say what a delta of this release to each of them would weigh, as `pack --estimate` does; may be given several times
help-site-list-examples =
    # All sites
    carryall site list
    # Those of another store
    carryall site list --store /srv/carryall
    # For a script
    carryall site list --json
help-site-forget = Forget one
help-site-forget-long = The next bundle for it is full, unless a receipt or a release is named.
help-site-forget-arg-name = The site's name
help-site-forget-examples =
    # One site
    carryall site forget plant-7
    # Of another store
    carryall site forget plant-7 --store /srv/carryall
    # For a script
    carryall site forget plant-7 --json

help-status = Show the store, and what is still needed of volume sets that are being received
help-status-long = Ends with exit code 4 while a set waits for volumes or for a release that it depends on.
help-status-examples =
    # What is still needed
    carryall status
    # Of another store
    carryall status --store /srv/carryall
    # For a script
    carryall status --json

help-forget = Give up volume sets that are being received: what was read of them goes, releases stay
help-forget-long = The volumes can be received again later.
help-forget-arg-sets = Sets, by the beginning of their ids or by their numbers as `status` lists them
help-forget-arg-all-incomplete = All sets that wait for volumes or for a release that they depend on
help-forget-examples =
    # The first one that `status` lists
    carryall forget 1
    # By its id
    carryall forget 12ab34cd
    # All that wait
    carryall forget --all-incomplete

help-checkout = Give a release back as it was added, or its images as other programs load them, checked byte for byte
help-checkout-long = Files keep their bytes, modes, times and links. Owners, setuid and setgid bits, security attributes and devices are withheld and listed, unless --privileged is given. What is damaged in the store is named, and the rest is given back.
help-checkout-arg-dest = Folder that gets the items; absent or empty
help-checkout-arg-item = Only this item; may be given several times
help-checkout-arg-form = What is given back: the items as they were added, or the images in them as DEST
help-checkout-arg-privileged = Also owners, setuid and setgid, capabilities and devices; needs root
help-checkout-value-form-original = every item, byte for byte
help-checkout-value-form-docker-archive = a file that docker, podman, nerdctl and skopeo load
help-checkout-value-form-oci = a folder that skopeo, podman, buildah and containerd read, with the digests that came in
help-checkout-value-form-attachments = a folder with what is attached to the images: signatures, SBOMs and provenance, each as it came
help-checkout-examples =
    # All of it
    carryall checkout shop:1.0 /srv/shop
    # One item
    carryall checkout shop:1.0 out --item web.tar
    # The SBOMs and signatures of the images
    carryall checkout shop:1.0 papers --as attachments
    # One image as a file for `docker load`
    carryall checkout shop:1.0 web.tar --as docker-archive --image shop/web

help-install = Give a release back beside older versions, and switch to it: DIR/releases/VERSION and DIR/current
help-install-long = Files that did not change share their room with the version before. Files that the site edited are taken over.
help-install-arg-into = Folder of the versions; made when it is not there
help-install-arg-keep = Files that the site edits, taken over from the version in use: * and ? in a file's name, or in its path below the version
help-install-arg-copy = Files that did not change take room of their own, and are not shared with the version before
help-install-arg-privileged = Also owners, setuid and setgid, capabilities and devices; needs root
help-install-examples =
    # The new version beside the old one
    carryall install shop:1.1 --into /opt/shop
    # Settings of the site stay as they are
    carryall install shop:1.1 --into /opt/shop --keep "*.env" --keep "conf/*.yaml"
    # Back to the version before
    carryall rollback /opt/shop

help-rollback = Switch DIR/current back to the version that was in use before
help-rollback-long = Nothing is removed. A second rollback goes forward again.
help-rollback-arg-dir = The folder that was named to `install`
help-rollback-examples =
    # One product
    carryall rollback /opt/shop
    # Once more: forward again
    carryall rollback /opt/shop
    # For a script
    carryall rollback /opt/shop --json

help-push = Push the images of a release into a registry, with the digests that they came with
help-push-long = What the registry has already is not sent again. Credentials are those of `docker login`.
help-push-arg-to = HOST[:PORT][/PREFIX]. Images keep repository and tag, only the host that they came from is dropped: registry.example/shop/web:1.0 becomes HOST/PREFIX/shop/web:1.0
help-push-arg-map = Images from HOST go below PREFIX, instead of that the host is dropped; may be given several times. docker.io is the host of names that have none; `HOST=` is no prefix
help-push-arg-keep-host = The host that an image came from becomes the first part of its repository: registry.example/shop/web:1.0 becomes HOST/PREFIX/registry.example/shop/web:1.0
help-push-arg-new-name = What the one image that --image names is called there, instead of its own name: REPOSITORY[:TAG]
help-push-arg-require-signed = Only when a key that `trust add --images` added signed every image, or an index that lists it; otherwise the registry gets nothing
help-push-examples =
    # Into the registry of the site
    carryall push shop:1.0 registry.site:5000
    # Below a prefix, without TLS
    carryall push shop:1.0 registry.site:5000/mirror --plain-http
    # One image under another name
    carryall push shop:1.0 registry.site:5000 --image shop/web --as web:stable

help-serve = Be a registry: images are pulled straight from the store, read-only, until Ctrl-C
help-serve-long = Releases that come or go meanwhile are noticed. The lines that containerd and docker need are printed.
help-serve-arg-releases = NAME:VERSION[@ARCH] [default: all releases in the store]
help-serve-arg-listen = Address and port to listen at; 0.0.0.0:5000 is for the whole network
help-serve-arg-tls-cert = Certificate and those above it, for TLS
help-serve-arg-tls-key = Key of the certificate
help-serve-arg-htpasswd = Names and passwords of those who may pull, as `htpasswd -B` writes them [default: everyone may]
help-serve-arg-ahead = Put layers together before anyone asks for them, so that the first pull is as fast as the second
help-serve-examples =
    # On this machine alone
    carryall serve
    # For the whole network, one release
    carryall serve shop:1.0 --listen 0.0.0.0:5000
    # With TLS and passwords
    carryall serve --listen 0.0.0.0:5000 --tls-cert site.pem --tls-key site.key.pem --htpasswd users

help-load = Hand the images of a release to docker, podman, nerdctl or containerd, through a pipe
help-load-long = No file is written in between, and nothing is sent over the network.
help-load-arg-with = The program that takes the images [default: the first of these that works]
help-load-value-with-docker = docker load
help-load-value-with-podman = podman load
help-load-value-with-nerdctl = nerdctl load
help-load-value-with-ctr = ctr images import
help-load-arg-namespace = Namespace of containerd, for nerdctl and ctr: Kubernetes looks in k8s.io
help-load-arg-require-signed = Only when a key that `trust add --images` added signed every image, or an index that lists it; otherwise nothing is loaded
help-load-examples =
    # Whichever program works
    carryall load shop:1.0
    # For Kubernetes
    carryall load shop:1.0 --with ctr --namespace k8s.io
    # One image
    carryall load shop:1.0 --image shop/web

help-history = List what came into the store and what went out: when, from whom, where to
help-history-long = Every receive, visit, add, pack, checkout, install, push and load adds a line. Each line has the hash of the one before it, so that a missing or changed line is told (exit code 3). `check` tells it too.
help-history-arg-release = Only lines about this release, such as shop:1.0, or about all versions of a name, such as shop
help-history-arg-csv = Write the lines to a table for a spreadsheet, in a file that is not there yet
help-history-examples =
    # Everything
    carryall history
    # What happened to all versions of shop
    carryall history shop
    # For an auditor
    carryall history --csv history.csv

help-check = Check that everything in the store is whole
help-check-long = Without --data only the structure is checked. With --heal-from, what is damaged is replaced from volumes that have it.
help-check-arg-data = Read and check every chunk, not only the structure
help-check-arg-heal-from = Volumes that may hold good copies of damaged chunks
help-check-arg-renew-settings = First write the store's carryall.toml anew if it is damaged or lost; the store gets a new id
help-check-examples =
    # The structure
    carryall check
    # Every byte
    carryall check --data
    # Heal from a disc that has the data
    carryall check --data --heal-from /media/cdrom

help-doctor = Look whether this machine has what packing, burning and receiving need
help-doctor-long = Shows the program with its SHA-256, space, memory, drives, xorriso and the language, and what to do about what is missing. Exit code 1 when something necessary is missing. Nothing is changed.
help-doctor-examples =
    # Before the journey, and at the site
    carryall doctor
    # For another store
    carryall doctor --store /srv/carryall
    # To be sent home
    carryall doctor --json

help-completions = Print what a shell completes, for bash, zsh and fish
help-completions-long = The descriptions are in the language of the locale.
help-completions-arg-shell = The shell
help-completions-value-shell-bash = for bash
help-completions-value-shell-elvish = for elvish
help-completions-value-shell-fish = for fish
help-completions-value-shell-powershell = for PowerShell
help-completions-value-shell-zsh = for zsh
help-completions-examples =
    # For bash, from now on
    carryall completions bash > ~/.local/share/bash-completion/completions/carryall
    # For zsh, in a folder of $fpath
    carryall completions zsh > _carryall
    # For fish
    carryall completions fish > ~/.config/fish/completions/carryall.fish

help-man = Write the manual pages, in English and Chinese
help-man-long = English pages go to man1 and Chinese ones to zh_CN/man1 below the folder, as below /usr/share/man.
help-man-arg-to = Folder that gets them
help-man-examples =
    # Beside the program
    carryall man --to /usr/local/share/man
    # Somewhere else, to be read with man -l
    carryall man --to man
    # The paths of all pages
    carryall man --to man --json

help-demo = Walk the whole journey on something real, in a temporary folder: pack, lose, scratch, receive, compare
help-demo-long = It takes about four times the room of what is carried. Nothing else on the machine is touched.
help-demo-arg-path = What to carry [default: something that is on any Linux machine]
help-demo-examples =
    # On something that is here anyway
    carryall demo
    # On a folder of your own
    carryall demo ~/photos
    # What each step reported
    carryall demo --json

help-help = Print help for a command
help-help-long = Without a command, all commands are listed.
help-help-examples =
    # All commands
    carryall help
    # One of them
    carryall help add
    # One below another
    carryall help site list

## Command lines that make no sense

error-usage-unknown-argument = unexpected argument { $argument }
error-usage-unknown-command = no command { $command }
error-usage-missing-argument = not given and required: { $arguments }
error-usage-no-command = a command is missing
error-usage-conflict = { $argument } cannot be used together with { $other }
error-usage-no-equals = { $argument } is written with = before its value
error-usage-no-value = { $argument } needs a value
error-usage-bad-value = { $argument } does not take { $value }: { $why }
error-usage-bad-choice = { $argument } does not take { $value }: it takes { $allowed }
error-usage-value-count = { $argument } has too many or too few values
error-usage-not-utf8 = a word of the command line is not UTF-8
error-usage-other = the command line makes no sense
error-usage-meant = did you mean { $meant }?
error-usage-is-value = write -- before it if it is no option
usage-line = usage: { $usage }
usage-why-number = it is no whole number
usage-why-range = it is too small or too large
usage-why-range-of = it must be in the range { $range }
usage-why-no-number = it is no number
usage-why-percent = it must be 0 to 100
usage-why-time = it must be a time such as 90s, 5m or 2h, or 0
usage-why-release = it is written NAME:VERSION or NAME:VERSION@ARCH. Name (96 bytes at most) and version (64) are of letters and digits of any script and . _ -, the name also of /, the version also of +, each part beginning with a letter or digit; an architecture (32) is of a to z, digits and . _ -
usage-why-platform = it is written OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as linux/arm64
usage-why-site = a site's name has letters and digits of any script and . _ -, begins with a letter or digit, and has at most 64 bytes
usage-why-pattern = a pattern is 1 to 4096 bytes and does not begin with /
usage-why-host-map = it is written HOST=PREFIX
usage-why-host = { $host } is no host
usage-why-path = { $path } is no path of a repository
usage-why-new-name = it is written REPOSITORY[:TAG]; the registry and a prefix are named before
usage-why-repository = the repository is of lower-case words of a-z, 0-9, . _ and -, joined by /
usage-why-tag = the tag is at most 128 of letters, digits, _ . and -
usage-why-digest = behind the @ is a digest: sha256: and 64 hex digits
usage-why-reference-host = before the first / is a host: HOST[:PORT]
usage-why-other = that is not possible here

## Errors

error-interrupted = interrupted
    .hint = run the same command again: it goes on where it can
error-other = { $text }

## What the system says

error-system-io = { $path }
error-system-other = { $text }
error-system-not-found = No such file or directory
    .hint = check the path: is the disc mounted, is the name spelled right?
error-system-permission-denied = Permission denied
    .hint = you may not read or write there: `ls -ld` shows who may; a drive wants membership of the group cdrom or disk, or run it as root with sudo
error-system-already-exists = File exists
error-system-not-a-directory = Not a directory
    .hint = a part of the path is a file where a folder is to be: check the path
error-system-is-a-directory = Is a directory
    .hint = a file is wanted here, and this is a folder: name the file in it
error-system-directory-not-empty = Directory not empty
error-system-read-only-filesystem = Read-only file system
    .hint = name another place: this one is mounted for reading only (discs are, and disks with errors)
error-system-storage-full = No space left on device
    .hint = free some space, or name another place; nothing half-done was left
error-system-quota-exceeded = Disk quota exceeded
    .hint = your quota there is used up: free some of it, or name another place
error-system-file-too-large = File too large
    .hint = a limit on the size of files is reached: raise it (ulimit -f), or name a place on another file system (FAT32 holds 4 GiB a file)
error-system-resource-busy = Device or resource busy
    .hint = another program uses it: unmount it or end that program, and run the same command again
error-system-out-of-memory = Cannot allocate memory
    .hint = nothing that was read has been changed; raise the limit (ulimit -v, ulimit -u, that of the container or service), end other programs, or use a machine with more memory, and run the same command again
error-system-invalid-filename = File name too long or not valid
    .hint = the name is too long, or has characters that the file system there does not take: choose another
error-system-unexpected-end = ends early
error-system-broken-pipe = Broken pipe
error-system-crosses-devices = not on the same file system
error-system-too-many-links = Too many links
error-system-connection-refused = Connection refused
error-system-connection-reset = Connection reset
error-system-timed-out = timed out
error-system-address-in-use = Address already in use
error-system-address-not-available = Cannot assign requested address
error-system-device-error = Input/output error
    .hint = the device has errors, and `dmesg` says which: try another drive, cable or port, and name another place if it is to be written
error-system-no-device = No such device
    .hint = it was taken out or unplugged: put it in again, and run the same command again
error-system-too-many-open-files = Too many open files
    .hint = the limit on open files is reached: raise it (ulimit -n 1024) and run the same command again
error-system-link-loop = Too many levels of symbolic links
error-system-not-supported = Operation not supported
error-system-no-medium = No medium found
    .hint = the drive is empty or its tray is open: put the disc in, wait until the drive has read it, and run the same command again
error-system-wrong-medium = Wrong medium type
    .hint = the drive is empty or its tray is open: put the disc in, wait until the drive has read it, and run the same command again
error-system-no-threads = the system gives carryall no more threads: a limit on processes or on memory is reached
    .hint = nothing that was read has been changed; raise the limit (ulimit -v, ulimit -u, that of the container or service), end other programs, or use a machine with more memory, and run the same command again
error-program-aborted = carryall had to end at once: the system gives it no more memory, unless the line above says otherwise
    .hint = nothing that was read has been changed; raise the limit (ulimit -v, ulimit -u, that of the container or service), end other programs, or use a machine with more memory, and run the same command again
error-program-fault = carryall has a fault and had to end: { $what } (carryall { $version }, { $place }, during: { $command })
    .hint = nothing that was read has been changed, and the store is as it was before or as after the last finished step. Please send the line above to those who maintain carryall; it holds no names of yours beyond what it shows

## Space

error-space-too-little = { $path } has { $free_bytes } free, and { $needed_bytes } are needed
    .hint = free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready
error-space-too-little-to-add = { $path } has { $free_bytes } free, and { $needed_bytes } at least are needed
    .hint = free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready
error-space-disk-full = { $path }: the disk is full; about { $needed_bytes } more are needed in all, and what came so far is kept
    .hint = free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready

## The store

error-store-not-a-store = no store in { $path }
    .hint = { $held_in ->
        [bucket] nothing was written; `add`, `receive` and `copy --to` create one there. If one was there: are bucket and prefix in --store or $CARRYALL_STORE right, and is the endpoint ($AWS_ENDPOINT_URL, $GOOGLE_BASE_URL, $AZURE_STORAGE_ENDPOINT)? If its carryall.toml was lost, bring that object back with the tools of the provider, from an earlier version or a copy
       *[folder] name the store with --store DIR or $CARRYALL_STORE; `add` and `receive` create one. If one was there: is its disk mounted? If its carryall.toml was lost, `carryall check --renew-settings` writes it anew
    }
error-store-already-a-store = there is a store in { $path } already
error-store-not-empty = { $path } is no store and not empty: { $entry } is in it
    .hint = nothing in it was touched; name an empty or new folder with --store DIR or $CARRYALL_STORE, which may be set wrongly. If it is a store whose carryall.toml was lost, `carryall check --renew-settings` writes it anew
error-store-bad-address = { $place } is no address in an object store
    .hint = write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX, with letters, digits, dots, hyphens and underscores; a folder of such a name is ./{ $place }
error-store-prefix-taken = { $place } is no store and not empty: { $entry } is there
    .hint = nothing was written; name a prefix of its own, below which nothing is. If a store was copied here, its carryall.toml did not come along: copy the rest first, and that file last
error-store-no-conditions = the server of { $place } puts objects whether If-None-Match and If-Match hold or not
    .hint = nothing was kept there: two builders could replace each other's releases. Use an object store with conditional puts, or a store in a folder
error-store-not-in-bucket = this is not done in an object store yet: { $place }
    .hint = nothing was changed; it works in a store in a folder
error-store-maintained = { $place } is being pruned by somebody else
    .hint = wait until that is done. If it was killed, the next `prune` takes over when nothing was heard of it for { $minutes } { $minutes ->
        [one] minute
       *[other] minutes
    } more
error-store-superseded = somebody else took over this prune, because nothing was heard of it for long
    .hint = nothing that is needed was removed, and the other one does the rest
error-store-pruned-meanwhile = chunks that { $release } needs were pruned before it was committed: { $chunks }
    .hint = run the same command again: what is gone is stored again. Work that takes so long needs a longer time of grace (`prune --grace`, or grace_hours in carryall.toml)
error-store-root-taken = somebody else committed { $release } meanwhile, with other content: there is { $theirs }, and { $ours } was not committed
    .hint = the other release stays as it is. Look at it with `carryall show { $release }`, then run the same command again to add to it, or use another version
error-store-root-removed = somebody else removed { $release } meanwhile, and { $ours } was not committed
    .hint = run the same command again to make it anew
error-store-request-failed = cannot { $action } { $path }
error-store-no-bucket = there is no such bucket
    .hint = nothing was written; make the bucket with the tools of its provider, or correct its name. Is the endpoint the right one ($AWS_ENDPOINT_URL, $GOOGLE_BASE_URL, $AZURE_STORAGE_ENDPOINT)?
error-store-credentials = the server refuses these credentials
    .hint = nothing was written; set $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY ($GOOGLE_APPLICATION_CREDENTIALS, $AZURE_STORAGE_ACCOUNT_NAME and $AZURE_STORAGE_ACCOUNT_KEY) to those that may read and write below this prefix, or $AWS_PROFILE to a profile that has them. A clock that is more than minutes off is refused too: `date -u` shows it
error-store-no-profile = there is no profile { $profile } in the files of the AWS tools
    .hint = nothing was written; correct $AWS_PROFILE, or add the profile to ~/.aws/credentials or ~/.aws/config ($AWS_SHARED_CREDENTIALS_FILE, $AWS_CONFIG_FILE): `aws configure list-profiles` shows those that are there
error-store-profile-unsupported = profile { $profile } has { $setting }, and credentials that come that way are not supported
    .hint = nothing was written; the tool of AWS gives them to this shell for a while: eval "$(aws configure export-credentials --profile { $profile } --format env)". Then run the same command again
error-store-profile-file = cannot read { $path }: { $why }
    .hint = nothing was written; correct the file, or name another one with $AWS_CONFIG_FILE or $AWS_SHARED_CREDENTIALS_FILE
error-store-server = { $text }
    .hint = requests were repeated before this was given up; is the server up, is the endpoint the right one ($AWS_ENDPOINT_URL, $GOOGLE_BASE_URL, $AZURE_STORAGE_ENDPOINT), and are there credentials ($AWS_ACCESS_KEY_ID, $GOOGLE_APPLICATION_CREDENTIALS, $AZURE_STORAGE_ACCOUNT_NAME)? The same command can be run again
error-store-below-file = no store can be in { $path }: a part of this path is a file
    .hint = nothing was changed: name another folder with --store DIR or $CARRYALL_STORE, or move that file away first
error-store-linked = { $path } is a link, and a store writes to its own folder alone
    .hint = nothing was touched; put the folder itself there in place of the link, or mount it there, and run the same command again
error-store-locked = the store in { $path } is in use by another process
    .hint = wait until the other carryall has ended, or end it; nothing needs to be cleaned up by hand
error-store-served = the store in { $path } is being read by another process, such as carryall serve
    .hint = wait until the other carryall has ended, or end `carryall serve` (Ctrl-C), run this again, and serve again; `add`, `receive` and `rm` need not wait for it
error-store-read-only = the store in { $path } is open for reading only
error-store-writer-busy = the store in { $path } is being written already
error-store-newer-format = store format { $found } in { $path } is newer than this program reads ({ $known })
    .hint = use a newer carryall
error-store-bad-settings = cannot understand { $path }: { $what }
    .hint = { $held_in ->
        [bucket] nothing there was touched; are bucket and prefix in --store or $CARRYALL_STORE right? If it is a store whose carryall.toml was damaged, bring that object back with the tools of the provider, from an earlier version or a copy
       *[folder] nothing in there was touched; is $CARRYALL_STORE or --store right? If it is a store whose carryall.toml was damaged, `carryall check --renew-settings` writes it anew
    }
error-store-bad-limits = the section [limits] of { $path } cannot be used: { $what }
    .hint = nothing was touched; correct the line, or delete the section: the usual limits hold then
error-store-entangled = { $path } and the store { $store } overlap: one is inside the other
    .hint = keep the store apart from what is read: name another place with --store DIR
error-store-disk-full = cannot { $action } { $path }
    .hint = free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready
error-store-no-access = cannot { $action } { $path }
error-store-unreadable = cannot { $action } { $path }
    .hint = this need not be damage, and nothing was given up: is the disk connected and mounted, and may this user read and write there? Put that right and run the same command again
error-store-releases-unread = the store cannot be read
error-store-roots-gone = the folder with the roots of all releases is gone: { $path }
    .hint = nothing was removed; if the folder lies on a disk of its own, mount it; else `receive` or `add` the releases again (that makes the folder anew), then prune
error-store-root-damaged = the root of { $release } is damaged
    .hint = receiving the release again brings it back; `carryall rm { $release }` gives it up (`carryall add` can make it anew then)
error-store-no-such-root = no release root { $root }
error-store-bad-root-name = not a name for a release root: { $root }
error-store-index-damaged = index segment { $index } is unreadable
error-store-writer-failed = a thread of the writer failed
error-store-no-such-chunk = chunk { $chunk } is not in the store
error-store-chunk-damaged = chunk { $chunk } is damaged (in pack { $pack })
    .hint = `carryall check --data` says what is damaged; adding the items again, or --heal-from with old volumes, heals it
error-store-chunk-quarantined = chunk { $chunk } is damaged and quarantined
    .hint = `carryall check --data` says what is damaged; adding the items again, or --heal-from with old volumes, heals it
error-store-frame-damaged = frame at { $offset } of pack { $pack } is damaged
error-store-chunk-length = a chunk of { $bytes } bytes cannot be stored
error-pack-file-missing-or-short = its pack is missing or cut short
error-pack-file-not-a-pack = not a pack
error-pack-file-newer-format = pack version { $version } is newer than this program reads (1)
    .hint = use a newer carryall
error-pack-file-damaged = damaged pack: { $what }
error-frame-not-a-frame = not a frame
error-frame-newer-format = frame version { $version } is newer than this program reads
    .hint = use a newer carryall
error-frame-unknown-feature = frame needs a { $what } that this program does not have
    .hint = use a newer carryall
error-frame-damaged = damaged frame: { $what }
error-frame-base-unread = it depends on chunk { $chunk }, which cannot be read
error-envelope-wrong-kind = not a carryall file of the kind that belongs here
error-envelope-damaged = damaged: { $what }
error-envelope-newer-format = format version { $found } is newer than this program reads ({ $known })
    .hint = use a newer carryall
error-envelope-unknown-features = needs features that this program does not have (flags { $flags })
    .hint = use a newer carryall

## Releases

error-site-unknown = nothing is remembered of { $site }
    .hint = `carryall site list` names the sites that are remembered
error-release-other-there = { $release } is another release there: there is { $theirs }, and here { $ours }
    .hint = nothing was replaced. Take the other one out with `carryall rm { $release }` there first, or copy another version
error-release-not-found = no release { $release } in the store
    .hint = { $count ->
        [0] the store holds no release yet: carryall add NAME:VERSION PATH...
       *[other] the store has { $has }
    }
error-release-not-whole = { $release } cannot be given back whole
    .hint = `carryall check --data` lists what is damaged; receive the release again, or heal it with --heal-from
error-release-unreadable = { $releases } cannot be read, and what they need is not known
    .hint = { $count ->
        [one] nothing was removed; receive it again or heal it with `carryall check --heal-from VOLUMES`, or give it up with { $commands }, then prune again
       *[other] nothing was removed; receive them again or heal them with `carryall check --heal-from VOLUMES`, or give them up with { $commands }, then prune again
    }
error-release-root-unread = the root of { $release }
    .hint = this need not be damage, and nothing was given up: is the disk connected and mounted, and may this user read and write there? Put that right and run the same command again
error-release-not-for-platform = no release for { $platforms } on these volumes
    .hint = they carry { $has }; leave out --platform, or name another
error-release-refused = { $release } is refused: { $what }: { $why }
    .hint = nothing of it is in the store; tell whoever packed it, and keep the volumes for them to look at
error-recipe-chunk-unread = chunk { $chunk } cannot be read
error-recipe-chunk-missing = chunk { $chunk } is missing
error-recipe-damaged = corrupt { $what }
error-recipe-limit = more than there may be: { $what }
    .hint = no program of the vendor's makes this: do not use the set, and ask the vendor for another; nothing of it was taken in
error-recipe-cost-limit = more than there may be: { $what }
    .hint = nothing of it was taken in, and what was read stays; ask the vendor whether a release of this kind is meant: if so, raise the limit in the section [limits] of carryall.toml in the store ({ $settings }), and run the same command again
error-recipe-newer-format = needs a newer carryall: { $what }
    .hint = use a newer carryall
error-recipe-mismatch = rebuilt bytes do not match: blob { $blob } expected
error-recipe-stream-not-remade = a stream in blob { $blob } cannot be made again
error-recipe-ready-copy-unread = the copy of blob { $blob } that was kept ready cannot be read
error-recipe-not-stored = chunk cannot be stored
error-recipe-not-written = cannot write
error-recode-io = cannot read or write
error-recode-damaged = corrupt { $what }
error-recode-ends-early = ends early
error-recode-unknown-writer = its writer is not known
error-recode-limit = unpacks to too much
error-recode-recipe-limit = the recipe is larger than { $per_mille } per mille of the stream
error-recode-newer-format = needs a newer carryall: encoder or recipe { $number }
    .hint = use a newer carryall
error-recode-other-length = the stream made again has another length
error-deflate-io = cannot read or write
error-deflate-damaged = corrupt { $what }
error-deflate-ends-early = ends early
error-deflate-plain-limit = unpacks to more than { $limit_bytes }
error-deflate-ratio-limit = unpacks to more than { $times } times its length
error-deflate-recipe-limit = the recipe is larger than { $per_mille } per mille of the stream
error-deflate-newer-format = needs a newer carryall: deflate recipe { $version }
    .hint = use a newer carryall
error-deflate-other-length = the stream made again has another length

## Adding

error-add-nothing = nothing to add
error-add-same-name = two items would be called { $name }: { $first } and { $second }
    .hint = give one of them another name: NAME=PATH
error-add-unreadable = { $count } cannot be read{ $more ->
        [0] {""}
       *[other] {" "}({ $more } of them are not named here)
    }
    .hint = nothing was added: run this as a user that may read them (root can), or leave them out
error-add-entangled = { $path } and the store { $store } overlap: one is inside the other
    .hint = keep the store outside of what is added: name another with --store DIR, or add the files and folders one by one
error-add-nowhere = the store lies in no folder, and nothing can be pulled into it
error-add-too-repetitive = more than there may be: { $what }
    .hint = its streams unpack to nothing but repetitions, and no site would take that in opened: `add --open none` adds it as it is
error-add-not-stored = { $name }: what was stored does not come back
error-add-release-unread = { $release } as it is cannot be read
error-add-release-damaged = { $release } as it is cannot be read
    .hint = receiving the release again brings it back; `carryall rm { $release }` gives it up (`carryall add` can make it anew then)
error-add-stream-changed = a stream does not come back as it was: blob { $blob }

## Files and folders

error-files-io = cannot { $action } { $path }
error-files-changed = { $path } changed while it was read
error-files-unfit = { $path }: { $why }
error-files-entry-refused = refused entry { $entry }: { $why }
error-files-names-fold = { $path } is not made: the file system here takes its name and that of another entry for one, because they differ in upper and lower case or in the encoding of accents alone
    .hint = the release is whole. Choose a destination on a file system that tells such names apart, as ext4 and xfs do
error-output-exists = { $path } is there already, and was not written by this command
    .hint = it is left as it is: name a file that is not there yet, or move it away first
error-output-is-input = { $path } is, or lies in, { $input }, which is read
    .hint = what is read is never written to: name a place outside of it
error-output-below-file = { $path } cannot be written: { $file } is a file, not a folder
    .hint = nothing was changed: name another place, or move that file away first
error-output-not-a-folder = { $path } is a file, not a folder
    .hint = nothing was changed: name another place, or move that file away first
error-output-no-folder = { $path }
    .hint = the folder that it is to be in is not there: make it first, or name another place
error-output-no-access = { $path }
    .hint = you may not write there: name a place of your own, such as your home folder
error-output-disk-full = { $path }
    .hint = free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready
error-output-not-writable = { $path }
    .hint = nothing was read yet, and nothing changed: name another place

## Checking out and versions

error-checkout-no-such-release = there is no release { $release }
error-checkout-no-such-item = the release has no item { $item }; it has { $has }
    .hint = `carryall show` lists the items of a release
error-image-nothing-attached = nothing is attached to the images
    .hint = nothing was written; signatures and SBOMs come with images that are added from a registry or from an OCI layout, and `carryall show` lists them
error-checkout-not-empty = { $path } is not empty
    .hint = name a folder that is not there yet, or empty this one
error-checkout-in-store = { $path } lies in the store { $store }
    .hint = name a folder outside of the store
error-checkout-no-space = { $path } has { $free_bytes } free, and { $needed_bytes } are needed
    .hint = free some space, or take one item at a time with --item
error-checkout-items-unread = the release's list of items cannot be read
error-checkout-items-damaged = the release's list of items cannot be read
    .hint = receive the release again, or heal it with `carryall check --heal-from VOLUMES`; `carryall rm` gives it up
error-checkout-exists = { $path } is there already
    .hint = it is left as it is: name another file, or move it away first
error-versions-not-a-link = { $path } is no link to a version below it
    .hint = name a folder for versions alone with --into DIR, or move away what is there
error-versions-taken = { $path } is there already, and was made of { $holds }
    .hint = name another folder for this product with --into DIR, or remove the one that is there when nothing uses it
error-versions-no-previous = { $path } has no version to go back to
    .hint = `install` an older release again: what is in its folder is used as it is

## Media and volumes

error-media-missing = { $path }: there is no such file, folder or device
    .hint = check the path: is the disc mounted, is the name spelled right?
error-media-not-a-medium = { $path }: neither a folder, a file nor a block device
    .hint = name a mounted folder, an .iso image or a block device such as /dev/sr0
error-media-exists = { $path }: exists already
    .hint = it is left as it is: name another folder with --to, or move it away first
error-media-busy = { $path }: another process is writing this volume
    .hint = wait until the other carryall has ended
error-media-unfinished = volume { $volume_no }: only { $written_blocks } of { $volume_blocks } blocks were written
error-media-not-back = { $path }: of { $volume_blocks } blocks, { $missing } do not come back as they were written ({ $zeros } places hold zeros, { $misplaced } hold another part, { $unread } cannot be read); nothing was left there
    .hint = the disk has less room than it says, or is failing: take another one
error-media-unplugged = { $path }: the disk was unplugged, and the volume is not complete
    .hint = plug it in again, mount it, and run the same command again
error-media-file-too-large = { $path }: its file system takes files of { $limit_bytes } at most, and an image takes { $bytes } or more
    .hint = leave out --iso: folders have files of 1 GiB at most; or name a folder on another file system
error-media-burner-missing = xorriso is not installed, and discs are burned with it
    .hint = install xorriso (`apt-get install xorriso`), or burn the images with another program
error-media-burner-failed = { $path }: xorriso cannot use it: { $said }
    .hint = check the name of the drive (`lsblk`) and that you may use it (group cdrom), and unmount the disc
error-media-xorriso-missing = xorriso is not installed, and .iso files are made with it
    .hint = install xorriso (`apt-get install xorriso`), or leave out --iso and burn the folders with any program
error-media-xorriso-failed = { $path }: xorriso failed: { $said }
    .hint = what xorriso says stands above; without --iso folders are written, which any program can burn
error-media-too-large = { $path }: { $bytes } bytes do not fit a medium of { $limit_bytes }
error-volume-none-found = no carryall volume in { $paths }
    .otherwise = is the right disc in the drive and mounted? A disc whose file system is gone can be given as its device, such as /dev/sr0
error-volume-no-such-number = the set has volumes 1 to { $volumes }, and no volume { $volume_no }
    .hint = `carryall help COMMAND` shows what a command takes
error-volume-medium-too-small = the medium is too small: beside file system and pages it has room for { $room_bytes }, and the smallest volume takes { $needed_bytes }
    .hint = take a larger medium: this one lacks about { $lacking_bytes }
error-volume-piece-too-large = the medium is too small: a compressed frame has { $needed_bytes } and is never cut, and beside file system, catalog and parity a volume has room for { $room_bytes }
    .hint = take a larger medium: this one lacks about { $lacking_bytes }
error-volume-too-many-for-gf8 = { $volumes } volumes are needed, and a set with this code has { $most } at most
    .hint = take a larger medium, fewer spares, or leave out --codec gf8
error-volume-too-many = { $volumes } volumes are needed, and a set has { $most } at most
    .hint = take a larger medium or fewer spares, or pack a part of the releases on a set of their own
error-volume-catalog-too-large = the catalog has { $bytes } bytes, and the plan has room for { $planned_bytes }
error-volume-descriptor-too-large = title, release names and facts together take { $bytes } bytes, and a superblock holds { $limit_bytes }
error-volume-piece-unread = piece { $piece_no } of the payload
error-volume-piece-length = piece { $piece_no } of the payload is not as long as planned ({ $planned_bytes } bytes)
error-volume-no-superblock = set { $set }: no superblock and no first catalog block is left
    .hint = too little of this set is at hand; give more of its volumes, or another copy
error-volume-forged = set { $set }: superblock, catalog and geometry do not belong together
    .hint = give another copy of one of its volumes, from whoever sent the set: on those read so far superblock or catalog were changed
error-volume-catalog-incomplete = set { $set }: block { $block_no } of the catalog is on none of the volumes at hand
    .hint = give more volumes of the set, or another copy of a damaged one: all that is at hand counts together
error-volume-block-damaged = volume { $volume_no }: block { $block_no } is missing or damaged
    .hint = give more volumes of the set, or another copy of a damaged one: all that is at hand counts together
error-volume-not-recoverable = { $volumes } cannot be brought back with what is at hand
    .hint = give more volumes of the set, or another copy of a damaged one: all that is at hand counts together
error-volume-written-wrong = { $path }: what was written reads back wrong
    .hint = the disk or the memory of this machine changes bytes: write to another disk, and test the memory
error-geometry-volumes = { $volumes } volumes make no set
error-geometry-volume-blocks = volumes of { $blocks } blocks make no set
error-geometry-stripe = stripes of { $width } blocks a volume do not fit this code and number of volumes
error-geometry-group = local groups of { $data } + { $parity } blocks do not fit this code
error-geometry-layout = catalog, data and local parity do not fill the volume exactly

## What stands where no volume was found

error-look-closed = { $path } cannot be opened
error-look-unread = { $path } cannot be read
    .otherwise = wipe the disc from the center outwards, try another drive, or save what is readable with `ddrescue -b 2048 /dev/sr0 volume.img volume.map` and name the image
error-look-unreadable = { $path } cannot be read
    .hint = wipe the disc from the center outwards, try another drive, or save what is readable with `ddrescue -b 2048 /dev/sr0 volume.img volume.map` and name the image
error-look-empty = { $path } is empty
    .hint = is it mounted? `lsblk` shows devices and where they are mounted; the device itself, such as /dev/sr0, can be named as well
error-look-pages-alone = { $path } has the page of a volume and none of its volume files
    .hint = copy all files of the volume, above all those named carry01.000 and so on; they lie beside this page on the medium
error-look-short = { $path } is too short to hold a volume
    .hint = name the medium itself: the mounted folder, the .iso image or the device, such as /dev/sr0
error-look-store = { $path } is the folder of a store, not of volumes
    .hint = a store is named with --store DIR; name the volumes here: a mounted disc, an .iso image or a folder of volumes
error-look-tar = { $path } is packed (tar)
    .hint = a volume is a mounted disc, an .iso image or a folder with volume files (carry01.000 and so on); what `docker save` or tar wrote goes into a release with `carryall add`
error-look-packed = { $path } is packed ({ $kind })
    .hint = unpack it first, and name the image or folder that comes out of it
error-look-unpacked = { $path } was unpacked ({ $kind }) while it was read, and holds no volume
    .hint = look at what is in it: what `docker save` or tar wrote goes into a release with `carryall add`; with a password it must be unpacked first
error-look-packed-disk = { $path } is a disk image of a virtual machine ({ $kind })
    .hint = make a plain image of it first (`qemu-img convert -O raw { $path } volume.img`), and name that
error-look-copied-as-text = { $path } was copied as text, and its line ends were changed
    .hint = copy it again in binary mode (FTP: `binary`), or pack it into a zip before it goes through a program that changes texts
error-look-bare-begin = { $path } is a bare bundle whose beginning is damaged or cut off, so nothing of it can be placed
    .hint = have the file sent again; `carryall pack --bare` makes the same bytes again
error-look-pipe = nothing of a volume came through { $path }
    .hint = the whole image or device must come: `ssh HOST cat /dev/sr0 | carryall receive -`
error-look-piece = { $path } is a piece of a file that was split, or an unfinished download
    .hint = bring all pieces into one folder under the names that they had, and name the folder; or put them together first (`cat NAME.* > volume.iso`)
error-look-web-page = { $path } is a web page, not the file itself
    .hint = the server sent a page instead of the file: fetch the file again, logged in where that is asked for
error-look-zeros = { $path } holds zeros and nothing else
    .hint = nothing was written to it, or the copy failed: copy or burn it again, and check it with `carryall verify`
error-look-other-disc = { $path } is a disc with something else on it ({ $label })

## Packing, receipts and receiving

error-pack-not-a-program = { $path } is no program for Linux
    .hint = --program takes a static ELF program, such as target/aarch64-unknown-linux-musl/dist/carryall
error-pack-unknown-machine = { $path } is a program for a machine that has no name here ({ $machine })
    .hint = put it on a medium of its own, or into the release with `carryall add`
error-pack-program-not-static = { $path } needs libraries of the system that it runs on
    .hint = a program on volumes runs with nothing but itself: build it with .ci/dist, or put this one on a medium of its own
error-pack-program-too-large = { $path } is larger than { $limit_bytes }
    .hint = --program takes the carryall program alone; anything else goes into the release with `carryall add`
error-pack-two-programs = { $first } and { $second } are for the same kind of machine
    .hint = leave one of them out: a volume has one program for each kind of machine
error-pack-many-spares = { $spare_volumes } spare volumes for { $data_volumes } with data
    .hint = one or two are enough for most sites, and { $most } are not questioned: --spare 2. If it is meant as it stands, add --many-spares
error-key-unusable = { $path }
error-key-not-found = { $given } is neither a public key nor a file with one
    .hint = give the file that ends in .pub, or the line of 56 characters in it (100 with SM2)
error-key-exists = { $path } is there already
    .hint = no key is ever replaced: name another file, or move this one away if it is not needed
error-key-public-name = { $path } would be the secret key, and names that end in .pub are for public ones
    .hint = name the file of the secret key, such as vendor.key; the public key is put beside it
error-key-not-public = not a public key
    .hint = a public key is a line of 56 characters, as `carryall key new` and `minisign -G` write it into the file that ends in .pub; a key that images are signed with, as cosign has it, is added with --images
error-key-not-pem = not a public key in PEM
    .hint = a key for images begins with -----BEGIN PUBLIC KEY-----, as cosign.pub does; a key that sets are signed with is added without --images
error-key-certificate = a certificate, and not a public key
    .hint = signatures are checked with the key alone; openssl x509 -pubkey -noout -in FILE takes the key out of its certificate
error-key-unsupported = a key of a kind that is not supported
    .hint = ECDSA over P-256 or P-384, Ed25519, and RSA of 2048 to 8192 bits are
error-key-secret = a secret key, and not a public one
    .hint = give the file that ends in .pub; the secret key stays with the vendor, and at no site
error-key-not-secret = not a secret key
    .hint = --sign takes the file that `carryall key new` or `minisign -G` made for the secret key
error-key-needs-password = the key has a password
    .hint = run this on a terminal, or give the password with --password-file FILE or in $CARRYALL_KEY_PASSWORD
error-key-wrong-password = the password is wrong, or the file is damaged
    .hint = try again; without the password the key is lost, and a new one must be made and trusted at the sites
error-key-not-made = the key cannot be made
    .hint = the system gives no random numbers, or too little memory: try again on another machine
error-key-no-terminal = there is no terminal to ask for the password
    .hint = give it with --password-file FILE or in $CARRYALL_KEY_PASSWORD; `key new --no-password` makes a key without one
error-key-empty-password = the password is empty
    .hint = nothing was made; --no-password makes a key that is not encrypted
error-key-passwords-differ = the two passwords differ
    .hint = nothing was made: run it again
error-signature-required = { $count } { $count ->
        [one] image is
       *[other] images are
    } not signed by a key that this site trusts for { $count ->
        [one] it
       *[other] them
    }
    .hint = nothing was given out. `carryall show RELEASE --verify` says what each signature is worth, `carryall trust list` whose keys are trusted for images, and --image chooses among the images
error-signature-of = { $image }
error-signature-not-signed = not signed
error-signature-index-not-signed = the index is not signed itself, whatever the images in it are
error-signature-other-name = signed with a key that is not trusted for images of this name
error-signature-wrong = what stands beside it is no signature of it
error-signature-stranger = signed by nobody whom this site trusts
error-signature-not-checked = signed in a way that is not checked here
error-signature-no-manifest = came without its manifest, which is what a signature signs
error-trust-damaged = { $path } cannot be understood: { $what }
    .hint = nothing is taken in as long as it is not known who is trusted: put a copy of the file back, or move it away and add each key again with `carryall trust add`
error-trust-no-such-key = no trusted key is called { $given }
    .hint = { $count ->
        [0] no key is trusted here
       *[other] trusted are: { $has }; `carryall trust list` shows their ids
    }
error-trust-name-taken = another key is called { $name }
    .hint = give another --name, or first take the other key out: carryall trust rm
error-trust-bad-name = not a name for a key
    .hint = a name is one line of 100 characters at most
error-trust-bad-pattern = { $given } is no pattern of images
    .hint = a pattern is [HOST/]REPOSITORY in small letters without a tag, and * stands for any characters, such as registry.example/shop/*; a key has 64 at most
error-seal-not-a-recipient = { $given } is not an age recipient
    .hint = a recipient begins with age1: the site makes a pair with `age-keygen -o site.key` and sends the line that it prints; whole files of them go with --recipients-file FILE
error-seal-secret-for-recipient = that is an identity, which is secret, and not a recipient
    .hint = whoever has it opens everything: `age-keygen -y FILE` prints the recipient of an identity, which begins with age1. The secret one should not stand in the history of a shell
error-seal-recipient-line = { $path }: line { $line } is not an age recipient
    .hint = one recipient stands on each line (age1...); lines that begin with # are passed over
error-seal-identity-line = { $path }: line { $line } is not an age identity
    .hint = one identity stands on each line (AGE-SECRET-KEY-1...), as `age-keygen` writes them; lines that begin with # are passed over. Identities of ssh and of plugins are not read here
error-seal-recipient-for-identity = { $path }: line { $line } is a recipient, which only seals
    .hint = name the file with the identity that belongs to it (AGE-SECRET-KEY-1...)
error-seal-protected = { $path } has a passphrase itself
    .hint = open it first: `age -d -o site.key { $path }`, and name site.key
error-seal-empty = { $path }: nothing but comments is in it
    .hint = one recipient or identity stands on each line
error-seal-no-identity = { $set ->
    [none] the set is sealed
   *[other] set { $set } is complete and sealed
}: it opens with an identity of its recipients
    .hint = name the identity with --identity FILE. What `receive` has read stays staged: `carryall receive --identity FILE` opens it without the volumes, and `carryall status` shows what waits
error-seal-no-passphrase = { $set ->
    [none] the set is sealed with a passphrase
   *[other] set { $set } is complete and sealed with a passphrase
}
    .hint = --passphrase asks for it. What `receive` has read stays staged: `carryall receive --passphrase` opens it without the volumes
error-seal-other-identity = { $set ->
    [none] it is sealed for somebody else
   *[other] set { $set } is sealed for somebody else: no identity that was given opens it
}
    .hint = nothing of it is in the store, and what was read is kept. Name the right identity (`age-keygen -y FILE` prints its recipient, which the vendor can compare), or let the vendor seal it for you too
error-seal-wrong-passphrase = { $set ->
    [none] the passphrase is wrong
   *[other] the passphrase is wrong: it does not open set { $set }
}
    .hint = nothing of it is in the store, and what was read is kept: try `carryall receive --passphrase` again
error-seal-header = { $set ->
    [none] what is sealed cannot be understood
   *[other] what is sealed in set { $set } cannot be understood
}
    .hint = its blocks are those that were packed, so another copy is no better: a later program may have made it. Ask the vendor, and see `carryall --version`
error-seal-content = { $set ->
    [none] what is sealed cannot be read
   *[other] what is sealed in set { $set } cannot be read
}
    .hint = to look into a sealed set, all of its data volumes must be at hand and whole; `receive` heals first. If it was received whole, ask the vendor to pack it again
error-trust-unsigned = set { $set } is not signed, and this site takes signed sets only
    .hint = nothing of it is in the store; what was read is kept. Ask the vendor for a signed set. If you know where this one comes from, run the same command with --unsigned; `carryall forget { $set }` gives it up
error-trust-wrong-signature = set { $set } has a signature that is wrong: it is not for this set, or not by the key it names
    .hint = nothing of it is in the store. Somebody changed the set or its signature: do not use these media, and ask the vendor; `carryall forget { $set }` gives it up
error-trust-stranger = set { $set } is signed with a key that nobody trusts here: { $keys }
    .hint = nothing of it is in the store; what was read is kept. If this is the vendor's key, ask for its fingerprint by telephone, and trust it: carryall trust add KEY. `carryall forget { $set }` gives the set up
error-trust-required = set { $set }: this site is set to take signed sets only, whatever is asked for
    .hint = ask the vendor for a signed set; `carryall trust require --no-longer` changes what this site takes
error-receive-would-replace = { $release } is here with other content ({ $here }), and set { $set } would replace it ({ $comes })
    .hint = what is here stays, and what was read is kept. Ask the vendor why the content changed under the same name; --replace takes the new one, `carryall forget { $set }` gives it up
error-receive-older = set { $set } of { $date } is older than set { $newer } of { $newer_date }, which brought { $release }
    .hint = what is here stays, and what was read is kept. An old set may bring back faults that a newer one mended; --replace takes it all the same, `carryall forget { $set }` gives it up
error-receive-other-site = set { $set } was made for { $site } (store { $made_for }), and this is store { $here }
    .hint = nothing of it is in the store; what was read is kept. Is this the disc of another site? --replace takes it all the same, `carryall forget { $set }` gives it up
error-receipt-not-found = { $given }: there is no such file, and it is not the text of a receipt
    .hint = check the name, or give the text that `carryall receipt` prints at the site, all of its lines in quotes
error-receipt-unusable = { $given }
error-receipt-not-a-receipt = not a receipt
    .hint = give a file of `carryall receipt -o FILE`, or the text that `carryall receipt` prints, in quotes
error-receipt-bad-symbol = line { $line } of the receipt: '{ $symbol }' does not belong there
    .hint = compare this line with what the site printed: two wrong characters of a line are always found
error-receipt-bad-line = line { $line } of the receipt has a mistake
    .hint = compare this line with what the site printed: two wrong characters of a line are always found
error-receipt-bad-lines = a line of the receipt is missing, doubled or of another receipt
    .hint = compare the lines with what the site printed: their number and order
error-receipt-bad-part = { $what }
error-receipt-no-codes = the receipt is too long for { $most } QR codes of the size that fits
    .hint = make the terminal larger, write pictures with --png FILE.png, or write it to a file with -o FILE
error-receipt-newer-format = receipt of version { $version }: newer than this program reads
    .hint = use a newer carryall
error-visit-no-drive = this machine has no optical drive that this user can see
    .hint = for USB disks: carryall receive PATH; when a drive is there under another name: carryall visit --drive /dev/NAME
error-receive-no-such-set = no set { $set } is being received
    .hint = { $count ->
        [0] no set is being received: there is nothing to give up
       *[other] these are: { $has }; `carryall status` lists them
    }
error-receive-too-many-sets = too many volume sets wait for volumes; no other is begun
    .hint = `carryall status` lists them; `carryall forget SET` or `carryall forget --all-incomplete` gives them up; releases stay
error-receive-wrong-blocks = { $volumes } hold blocks other than those that were packed, though their hashes are right
    .hint = another copy of { $volumes } is needed, from whoever sent the set: the one that was read was changed; what is right of it is kept
error-bundle-incomplete = release { $release } needs { $chunks } chunks that neither the volumes nor the store hold
    .hint = pack the release again: the bundle was cut from a store that had lost something
error-bundle-catalog = catalog
error-bundle-frame = frame { $frame_no } of the payload
error-bundle-payload = payload

## Images

error-image-none = there are no images in the release
    .hint = `carryall show RELEASE` lists what is in it; `checkout` without --as gives the items back
error-image-none-named = no image with a name in { $releases }
    .hint = `carryall show RELEASE` lists the images of a release; images without a name cannot be pushed or served
error-image-not-found = the release has no image { $image }; it has { $has }
    .hint = `carryall show RELEASE` lists the images with names and digests
error-image-no-such-platform = no image for { $platform }; there are some for { $has }
    .hint = take one of the platforms that are there
error-image-several = { $name } is the name of { $count } images: { $images }
    .hint = choose one with --image and its digest
error-image-several-platforms = { $name } is the name of { $count } images: { $images }
    .hint = choose one with --platform OS/ARCH
error-image-not-runnable = { $image } is no image of layers: a docker archive cannot hold it
    .hint = `carryall check --data` says what is damaged; --image takes the images that are whole
error-image-blob-missing = { $image }: blob { $digest } is not in the release
    .hint = `carryall check --data` says what is damaged; --image takes the images that are whole
error-image-blob-mismatch = blob { $digest } does not match its digest: it is { $found }
    .hint = `carryall check --data` says what is damaged; --image takes the images that are whole
error-image-blob-unread = blob { $digest }
    .hint = `carryall check --data` says what is damaged; --image takes the images that are whole
error-image-archive-not-written = cannot write the archive
error-load-no-program = none of docker, podman, nerdctl and ctr is installed
    .hint = install one of them, or `carryall checkout RELEASE FILE --as docker-archive` and load the file where it runs
error-load-none-works = none works
    .hint = start the service of one of them, or run this as someone who may use it (root, the group docker); --with names one that is taken without trying
error-load-does-not-work = { $program }
error-load-not-run = cannot run { $program }
    .hint = is it installed, and may you run it? --with names another
error-load-failed = { $program } failed ({ $status })
    .hint = it says why: is its service running, may you use it, is there room? The note above says what it has now; the same command can be run again
error-reference-host = not a host: HOST[:PORT]
error-reference-repository = not a repository: lower-case words of a-z, 0-9, '.', '_' and '-', joined by '/'
error-reference-tag = not a tag: at most 128 of letters, digits, '_', '.' and '-'
error-reference-digest = not a digest behind the @ (sha256: and 64 hex digits)

## Registries

error-registry-unreachable = { $host } does not answer: { $what }
    .hint = is the registry running, and its address right? The same command goes on where this one ended; --plain-http is for registries without TLS
error-registry-tls = { $host } cannot be trusted or does not speak TLS
    .hint = give the registry's root certificate with --ca FILE.pem, or --plain-http when it has no TLS
error-registry-denied = { $host } refuses access: { $what }
    .hint = log in with `docker login HOST` or `podman login --authfile ~/.docker/config.json HOST`: credentials are taken from docker's config file
error-registry-absent = { $host } has no { $what }
    .hint = check the repository and the tag: is the name spelled right, was it pushed?
error-registry-refused = { $host } answers { $status }: { $what }
error-registry-too-many-requests = { $host } answers { $status }: { $what }
    .hint = the registry wants a pause: run the same command later, it goes on where this one ended; logging in often raises the limit
error-registry-server-error = { $host } answers { $status }: { $what }
    .hint = the registry has troubles of its own: look into its log, then run the same command, it goes on where this one ended
error-registry-no-platform = { $what } has no image for { $platform }; it has { $has }
    .hint = choose one of these with --platform, or leave it out for all
error-registry-credentials = credentials: { $why }
    .hint = log in with `docker login HOST` or `podman login --authfile ~/.docker/config.json HOST`: credentials are taken from docker's config file
error-registry-no-space = { $path } has { $free_bytes } free, and { $needed_bytes } are needed
    .hint = free some space, or name another store with --store DIR
error-registry-disk-full = { $path }
    .hint = free some space and run the same command again: what came is kept and it goes on from there
error-registry-listen = cannot listen at { $address }
    .hint = choose another address or port with --listen ADDRESS:PORT
error-registry-mismatch = { $what }: the bytes are not those of its digest: { $got } came instead
    .hint = nothing of it was kept: run the same command again; when it stays so, the registry or a proxy before it is damaged
error-registry-length = { $what }: { $got_bytes } bytes came, and { $bytes } were announced
    .hint = nothing of it was kept: run the same command again; when it stays so, the registry or a proxy before it is damaged
error-registry-too-large = { $what } is too large: { $limit } is the limit
error-registry-damaged = { $what }: { $why }
error-registry-source-unread = { $what } cannot be read here
error-registry-bad-address = "{ $given }" is not a registry
    .hint = give it as HOST[:PORT][/PREFIX], for example registry.site:5000/shop
error-registry-no-such-host = no image came from { $host }; some came from { $has }
    .hint = `carryall show RELEASE` lists the names; docker.io is the host of those that have none

## The command line

error-usage-no-store = no store is named
    .hint = name it with --store DIR or $CARRYALL_STORE
error-usage-unexpanded-home = { $path }: the ~ stands for no folder here, the shell has not put your home folder in its place
    .hint = { $is_known ->
        [1] write { $meant }; for a folder that is really called so, ./{ $path }
       *[0] write the whole path, such as { $meant }; for a folder that is really called so, ./{ $path }
    }
error-usage-unexpanded-home-in = { $path } in { $given_by }: the ~ stands for no folder here, the shell has not put your home folder in its place
    .hint = { $is_known ->
        [1] write { $meant }; for a folder that is really called so, ./{ $path }
       *[0] write the whole path, such as { $meant }; for a folder that is really called so, ./{ $path }
    }
error-usage-nothing-to-demo = nothing to carry was found
error-usage-same-store = { $path } is the store that is copied from
    .hint = name another one with --to
error-usage-one-stream = there is one standard input: give - once
error-usage-terminal-stdin = - is standard input, and that is this terminal: pipe something into it
error-usage-bad-reference = { $given }
    .hint = a reference is docker://HOST[:PORT]/REPOSITORY:TAG, or ...@sha256:DIGEST
error-usage-one-name = --name is for one item, and several are given
    .hint = name each item as NAME=PATH, NAME=docker://REF or NAME=-
error-usage-image-without-form = --image chooses among images, and the items are asked for as they were added
    .hint = images: --as docker-archive or --as oci, with --image REF; items: --item NAME
error-usage-privileged-with-form = --privileged is about files, and images are asked for
error-usage-item-with-form = --item chooses among items, and images are asked for
    .hint = images: --as docker-archive or --as oci, with --image REF; items: --item NAME
error-usage-host-mapped-twice = { $host } is mapped twice, to different places
error-usage-no-media = no medium is named
error-usage-no-such-medium = "{ $given }" names no medium
    .hint = there are cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb, or an exact size such as 700MB, 8GB or 4GiB
error-usage-misspelled-medium = "{ $given }" names no medium
    .hint = did you mean { $meant }? There are cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb, or an exact size such as 700MB, 8GB or 4GiB
error-usage-report-form = the name of a report ends in .html or .json, and { $path } does not
    .hint = --report report.html makes a page to be printed, --report report.json a document for programs
error-usage-no-folder = no folder is named with --to
error-usage-bad-contact = --contact is one line of 1 to { $chars_max } characters
error-usage-bad-date = "{ $given }" is no day
    .hint = a day is written as 2026-11-28
error-usage-bad-epoch = SOURCE_DATE_EPOCH is "{ $given }", which is no time
    .hint = it is a number of seconds since 1970; unset it, or name the day with --date
error-usage-one-receipt-a-site = --site takes one --for

## How errors are put together

command-rm = `carryall rm { $release }`
hint-damage = `carryall check --data` lists what is damaged; receiving the release or adding the items again, or --heal-from with old volumes, heals it; `carryall rm` gives a release up
hint-usage = `carryall help COMMAND` shows what a command takes
hint-generic = nothing that was read has been changed; put right what the line above says and run the same command again
system-numbered = { $what } (os error { $number })
separator-cause = {": "}
separator-detail = {"; "}
separator-name = {", "}

## Terms of the library
##
## What was tried, what is wrong with data, and why something is refused. The ids are those of the enums of terms.

term-action-ask-free-space = ask for the free space of
term-action-bring-to-disk = bring to the disk
term-action-create = create
term-action-find = find
term-action-keep-what-was-read = keep what was read of
term-action-link = link
term-action-list = list
term-action-lock = lock
term-action-look-at = look at
term-action-make = make
term-action-make-durable = make durable
term-action-map = map
term-action-open = open
term-action-put-aside = put aside
term-action-read = read
term-action-read-attributes = read extended attributes of
term-action-read-link = read link
term-action-remove = remove
term-action-rename = rename
term-action-rename-into-place = rename into place
term-action-write = write
term-action-write-below = write below
term-action-write-in = write in
term-action-write-to = write to
term-flaw-receipt-json = JSON
term-flaw-receipt-chunk = a chunk
term-flaw-receipt-set = a set
term-flaw-receipt-id = an id
term-flaw-store-id = id of the store
term-flaw-too-much = too much in it
term-flaw-release-id = id of a release
term-flaw-release-name = name of a release
term-flaw-waiting-set = a set that waits
term-flaw-chunk-id = a chunk is not what its id says
term-flaw-long-chunk = a chunk's length is past its limit
term-flaw-long-length = a length is past its limit
term-flaw-archive-with-more = archive: more in it than is followed
term-flaw-chunk-lengths = chunk lengths do not add up
term-flaw-end = end
term-flaw-long-file = file: longer than it may be
term-flaw-frame-gaps = frames are not back to back
term-flaw-table-hash = hash mismatch in the table
term-flaw-hash = hash mismatch
term-flaw-index-head = index head does not add up
term-flaw-depends-on-too-much = it depends on too much
term-flaw-depends-on-something = it is said to depend on something
term-flaw-chunk-length = length of a chunk
term-flaw-chunk-list = list of chunks
term-flaw-empty-chunk-record = list of chunks: empty record
term-flaw-chunk-list-length = list of chunks: length
term-flaw-long-root = longer than any root
term-flaw-long = longer than it may be
term-flaw-manifest-items = manifest: number of items
term-flaw-no-trailer = no trailer
term-flaw-other-length = not as long as it says
term-flaw-not-decodable = not decodable
term-flaw-not-decompressible = not decompressible
term-flaw-not-the-catalog = not what the catalog says
term-flaw-missing-frame = an item names a frame that is not there
term-flaw-blob-part = part of a blob
term-flaw-file-part = part of a file
term-flaw-raw-length = raw, but not as long as its chunks
term-flaw-step = recipe step
term-flaw-step-length = recipe: length of a step
term-flaw-step-stream-length = recipe: length of a stream
term-flaw-long-steps = recipe: longer than the blob
term-flaw-step-order = recipe: order of steps
term-flaw-steps-for-use = recipe: shorter than its use
term-flaw-short-steps = recipe: shorter than the blob
term-flaw-side-bytes = recipe: side bytes
term-flaw-deep-steps = recipe: too deep
term-flaw-record = record
term-flaw-long-record = record: longer than it may be
term-flaw-too-long-record = record: too long
term-flaw-sets-of-no-prerequisite = sets of no prerequisite
term-flaw-sets-without-dependents = sets without what depends on them
term-flaw-short = shorter than it says
term-flaw-small-content = small content
term-flaw-stream-end = stream: ends early
term-flaw-stream-chunk = stream: length of a chunk
term-flaw-stream-for-use = stream: shorter than its use
term-flaw-deep-stream = stream: too deep
term-flaw-long-stream = stream: too long
term-flaw-table = table
term-flaw-many-frames = too many frames
term-flaw-many-items = too many items
term-flaw-version = version
term-refusal-not-file-nor-folder = neither a file nor a folder
term-refusal-no-name = it has no name
term-refusal-path-over64-kib = its path is longer than 64 KiB
term-refusal-too-many-folders = it lies in more than 4096 folders
term-refusal-attributes = its extended attributes are longer than 512 KiB
term-refusal-given-name = the name for it is not the name of a file
term-refusal-not-afile-name = it is not the name of a file
term-refusal-long-name = its name is too long
term-refusal-long-name-in-path = a name in it is too long
term-refusal-long-path = it is longer than 64 KiB
term-refusal-two-of-this-name = there are two items of this name
term-refusal-impossible-size = it cannot be as large as it says
term-refusal-larger-than-items = it says that it is larger than its items
term-refusal-larger-than-content = it says that it is larger than what is in it
term-refusal-more-entries = it says that it has more entries than it has
term-refusal-link-target = no link can point there
term-refusal-folder-twice = a folder has no second name
term-refusal-no-other-name = hard link: its other name is not there
term-refusal-there-already = something is there already
term-refusal-not-through-folders = it leads through what is not a folder
term-refusal-folder-afterwards = the folder it is in does not come before it
term-refusal-not-downwards = it is not a plain path downwards
term-excess-steps-for-blob = bytes of steps beyond those that they give
term-excess-steps = bytes of all steps
term-excess-plain-for-stream = plain bytes for a byte of a stream
term-excess-items = bytes of the list of items
term-excess-plain-of-streams = plain bytes of all streams
term-feature-codec = codec
term-feature-filter = filter
term-feature-flag = flag
term-feature-dependence = way to lean on chunks
