" Vim compiler file: `:make` checks the file, and the findings are in the quickfix list
if exists("current_compiler")
  finish
endif
let current_compiler = "cnnspec"

if exists(":CompilerSet") != 2
  command -nargs=* CompilerSet setlocal <args>
endif

CompilerSet makeprg=cnnspec\ check\ --format\ concise\ %:S
CompilerSet errorformat=%f:%l:%c:\ %trror%m,%f:%l:%c:\ %tarning%m,%-G%.%#
