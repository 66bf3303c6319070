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
