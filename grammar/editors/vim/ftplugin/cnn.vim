" Vim filetype plugin: convolutional networks as text (cnnspec)
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s comments=:#
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2
" a text that cannot be read comes back as it was; what is wrong with it belongs to :make, not between its lines
let &l:formatprg = "cnnspec fmt - 2>" . (has("win32") ? "nul" : "/dev/null")
setlocal suffixesadd=.cnn
setlocal include=^\\s*import\\s\\+\"\\zs[^\"]*
compiler cnnspec

let b:undo_ftplugin = "setlocal commentstring< comments< formatoptions< expandtab< shiftwidth< softtabstop<"
      \ . " formatprg< suffixesadd< include<"
