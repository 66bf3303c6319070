### English: the first language. Every message here stands in every other file of this folder, with the same arguments.
###
### A name in braces is an argument. The parts that belong to a word of the command line (`carryall check --data`) stay as
### they are in every language. Tests hold the files to each other and to the sources.

## Labels

label-error = error
label-hint = hint

## The program itself

fault = carryall has a fault and had to end: { $what } (carryall { $version }, { $place }, during: { $command })
    .hint = nothing that was read has been changed, and the store is as it was before or as after the last finished step. Please send the line above to those who maintain carryall; it holds no names of yours beyond what it shows
stopping = stopping; what is done is kept (Ctrl-C again ends at once)

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
    A PATH of media is a mounted volume, a folder of volumes, an .iso or raw image, a block device, a single carrier file, or a damaged copy of any of these. It is recognized by content, never by name.
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
help-name-yyyy-mm-dd = YYYY-MM-DD
help-name-ref = REF
help-name-registry = REGISTRY
help-name-host-prefix = HOST=PREFIX
help-name-address-port = ADDRESS:PORT
help-name-glob = GLOB

help-arg-store = The store [default: $CARRYALL_STORE, else carryall in the user's data directory]
help-arg-json = Reports as one JSON document on stdout, progress as JSON lines on stderr
help-arg-quiet = No progress bar
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
help-add-arg-gzip = Whether gzip streams and zip files are opened, so that what is in them is known when it comes again
help-add-value-gzip-auto = open what pays
help-add-value-gzip-keep = keep all as they came
help-add-arg-gzip-recipe = A stream whose recipe would be more than this part of it is kept as it came
help-add-arg-gzip-seconds-per-gb = After 10 s of processor time, a stream is kept as it came when opening it takes more for each GB of plain bytes; 0: no limit
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
help-show-examples =
    # All of it
    carryall show shop:1.0
    # One image
    carryall show shop:1.0 --image shop/web
    # The release for one architecture
    carryall show shop:1.0 --platform linux/arm64

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

help-prune = Free the space of chunks that no release needs
help-prune-long = Packs that no release needs are removed, and those of which much is unused are written anew.
help-prune-arg-keep-last = First take out all but the N newest versions of each name and architecture, and those that `keep` marked
help-prune-arg-ready = Drop also the compressed layers and files that are kept ready: they are made again when they are asked for
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
help-pack-arg-plan = Only print the plan: volumes, spares and what is guaranteed. It is exact, takes as long as compressing does, and nothing is written
help-pack-arg-estimate = Only say about what the bundle will weigh, by item, image and kind of content; nothing is written
help-pack-arg-media = cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb (one disk, as large as needed) or an exact size such as 8GB: for discs, FAT32 and exFAT
help-pack-arg-sectors = Exact size of the medium in sectors of 2048 bytes
help-pack-arg-media-at = The medium is what is mounted here: its file system is asked what is free, whichever it is
help-pack-arg-since = Leave out what a receiver of this release has; given several times, what all such receivers have. `A,B`: one that has both
help-pack-arg-receipts = Leave out what a site with this receipt has: a file, or the text itself; given several times, what all of them have
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

help-inspect = Show what volumes hold
help-inspect-long = Lists releases and items of each set, and which of its volumes are at hand. `verify` says whether they are whole.
help-inspect-arg-paths = Media, images, folders or carrier files
help-inspect-examples =
    # The disc in the drive
    carryall inspect /media/cdrom
    # A disc whose file system is gone
    carryall inspect /dev/sr0
    # Images in a folder
    carryall inspect discs/

help-verify = Check volumes: what is damaged or missing, and whether everything can be brought back
help-verify-long = Reads every block. Nothing is changed, neither on the media nor in a store.
help-verify-arg-paths = Media, images, folders or carrier files; several copies of one volume count together
help-verify-arg-map = Draw the damage, volume by volume, into an HTML page
help-verify-arg-at-hand = Ask only whether what is at hand is whole, as after burning one disc: exit code 0 when it is, 3 when it is not, however many volumes of the set are not here
help-verify-examples =
    # A disc that was just burned
    carryall verify /media/cdrom --at-hand
    # A whole set, with a page that shows where the damage is
    carryall verify discs/ --map damage.html
    # Two poor copies of one volume together
    carryall verify first.iso second.iso

help-repair = Rebuild damaged or lost volumes, byte for byte as they were written
help-repair-long = `receive` needs no repair before it: it heals by itself. This is for new discs in place of bad ones.
help-repair-arg-paths = All that is left of the set: media, images, folders or carrier files
help-repair-arg-to = Folder that gets the rebuilt volumes
help-repair-arg-volume = Rebuild this volume even when it is whole; may be given several times [default: every volume that is not whole]
help-repair-arg-iso = Write .iso images instead of folders
help-repair-examples =
    # Whatever is not whole
    carryall repair discs/ --to new
    # Volume 3 as an image to burn
    carryall repair discs/ --to new --volume 3 --iso
    # From what ddrescue read of each disc
    carryall repair 1.img 2.img 4.img --to new

help-receive = Take volumes into the store: any order, one or several at a time, again after an interruption
help-receive-long = Says which volumes are still needed, and ends with exit code 4 until the set is complete. Damage is healed as far as the volumes allow. The store is created when there is none.
help-receive-arg-paths = Media, images, folders or carrier files
help-receive-arg-platform = Only releases for this platform, RELEASE@ARCH, and those that say no architecture; may be given several times. The others are neither asked for nor stored; without it, the same volumes bring them later [default: all]
help-receive-examples =
    # One disc after another
    carryall receive /media/cdrom
    # All images at once
    carryall receive discs/
    # Only what runs here
    carryall receive /media/cdrom --platform linux/arm64

help-receipt = Say in tens of bytes what this store holds, so that the vendor sends only what it lacks
help-receipt-long = The vendor gives it to `pack --for`. It holds the ids of releases and of what is lost or damaged, and no file names.
help-receipt-arg-out = Write it to a file [default: print it as text that can be typed or read out]
help-receipt-examples =
    # To be read out over the phone
    carryall receipt
    # As a file to send
    carryall receipt -o plant-7.receipt
    # For a script
    carryall receipt --json

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
help-checkout-long = Files keep their bytes, modes, times and links. What is damaged in the store is named, and the rest is given back.
help-checkout-arg-dest = Folder that gets the items; absent or empty
help-checkout-arg-item = Only this item; may be given several times
help-checkout-arg-form = What is given back: the items as they were added, or the images in them as DEST
help-checkout-value-form-original = every item, byte for byte
help-checkout-value-form-docker-archive = a file that docker, podman, nerdctl and skopeo load
help-checkout-value-form-oci = a folder that skopeo, podman, buildah and containerd read, with the digests that came in
help-checkout-examples =
    # All of it
    carryall checkout shop:1.0 /srv/shop
    # One item
    carryall checkout shop:1.0 out --item web.tar
    # One image as a file for `docker load`
    carryall checkout shop:1.0 web.tar --as docker-archive --image shop/web

help-install = Give a release back beside older versions, and switch to it: DIR/releases/VERSION and DIR/current
help-install-long = Files that did not change share their room with the version before. Files that the site edited are taken over.
help-install-arg-into = Folder of the versions; made when it is not there
help-install-arg-keep = Files that the site edits, taken over from the version in use: * and ? in a file's name, or in its path below the version
help-install-arg-copy = Files that did not change take room of their own, and are not shared with the version before
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
help-load-examples =
    # Whichever program works
    carryall load shop:1.0
    # For Kubernetes
    carryall load shop:1.0 --with ctr --namespace k8s.io
    # One image
    carryall load shop:1.0 --image shop/web

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

usage-unknown-argument = unexpected argument { $argument }
usage-unknown-command = no command { $command }
usage-missing = not given and required: { $arguments }
usage-missing-command = a command is missing
usage-conflict = { $argument } cannot be used together with { $other }
usage-no-equals = { $argument } is written with = before its value
usage-no-value = { $argument } needs a value
usage-bad-value = { $argument } does not take { $value }: { $why }
usage-bad-choice = { $argument } does not take { $value }: it takes { $allowed }
usage-count = { $argument } has too many or too few values
usage-not-utf8 = a word of the command line is not UTF-8
usage-other = the command line makes no sense
usage-did-you-mean = { $message }; did you mean { $meant }?
usage-as-value = { $message }; write -- before it if it is no option
usage-line = usage: { $usage }
usage-separator = {", "}
usage-why-number = it is no whole number
usage-why-range = it is too small or too large
usage-why-range-of = it must be in the range { $range }
usage-why-no-number = it is no number
usage-why-percent = it must be 0 to 100
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
