" Vim syntax file: convolutional networks as text (cnnspec)
if exists("b:current_syntax")
  finish
endif

syn case match

" a setting and the word that is its value: `pad same`; what comes below is looked for first
syn match  cnnSetting  /\v<\h\w*>/ nextgroup=cnnValue skipwhite
syn match  cnnValue    /\v<\h\w*(\.\h\w*)*>/ contained

" what holds anywhere
syn match  cnnComment  /#.*$/ contains=cnnTodo,cnnIgnore,@Spell
syn keyword cnnTodo    TODO FIXME XXX contained
syn match  cnnIgnore   /cnnspec: ignore \(CNN\d\{3}\(, \)\?\)\+/ contained
syn region cnnString   start=/"/ end=/"\|$/ oneline
syn match  cnnTap      /@[A-Za-z_]\w*\(\.\w\+\)*/
syn match  cnnNumber   /\v(\w|\.)@<!(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?(\%|[kKMG]i?B|[kMGB])?(\w|\.\d)@!/
syn match  cnnSize     /\v(\w|\.)@<!(\d+|\?)(x(\d+|\?))+(\w|\?)@!/
syn match  cnnSize     /\v\}@<=(x(\d+|\?))+/
syn match  cnnSize     /\v(\w|\.)@<!((\d+|\?)x)+\{@=/
syn match  cnnSize     /\v\}@<=x((\d+|\?)x)*\{@=/
syn match  cnnSize     /\v(\w|\.)@<!\?(\w|\?)@!/

" words: at the start of a line, and behind what begins a stage
syn match  cnnWord     /\v^\s*\zs<\h\w*(\.\h\w*)*>/
syn match  cnnArrow    /->\|::\|[|*=]/
syn match  cnnStage    /\v(\=|-\>|\||\()\s*\h\w*(\.\h\w*)*/ contains=cnnArrow,cnnStageWord
syn match  cnnStageWord /\v<\h\w*(\.\h\w*)*>/ contained

" a block that is called, and its arguments
syn region cnnCall     matchgroup=cnnCalled start=/\v<\h\w*(\.\h\w*)*\(/ end=/)\|$/ contains=cnnArgument,cnnFunction,cnnNested,cnnVariable,cnnNumber,cnnMath oneline
syn match  cnnStageCall /\v(\=|-\>|\||\()\s*\ze<\h\w*(\.\h\w*)*\(/ contains=cnnArrow nextgroup=cnnJoin,cnnCall
syn match  cnnArgument /\v<\h\w*\ze\s*\=/ contained
syn region cnnNested   start=/(/ end=/)\|$/ contained contains=cnnFunction,cnnNested,cnnVariable,cnnNumber,cnnMath oneline
syn match  cnnVariable /\v<\h\w*(\.\h\w*)*>/ contained
syn match  cnnFunction /\v<(min|max|round|ceil|floor|mean|add|sub|mul|concat)\ze\s*\(/ contained
syn match  cnnMath     /\/\/\|[-+*\/%]/ contained
syn match  cnnJoin     /\v<(add|concat|mul|max|min|mean|sub)\ze\s*\(/

" a number that is computed: `{2*w}`
syn region cnnHole     matchgroup=cnnBraces start=/{/ end=/}\|$/ contains=cnnFunction,cnnNested,cnnVariable,cnnNumber,cnnMath oneline

" statements
syn match  cnnKeyword  /\v<(import|input)>(\s*\=)@!/
syn match  cnnKeyword  /\v<as>/ nextgroup=cnnLabel skipwhite
syn match  cnnLabel    /\v<\h\w*>/ contained
syn match  cnnKeyword  /\v<let>(\s+\h\w*\s*\=)@=/ nextgroup=cnnConstant skipwhite
syn match  cnnConstant /\v<\h\w*>/ contained nextgroup=cnnLet skipwhite
syn match  cnnLet      /=[^;#]*/ contained contains=cnnEquals,cnnHole,cnnFunction,cnnNested,cnnVariable,cnnNumber,cnnMath
syn match  cnnEquals   /=/ contained
syn match  cnnKeyword  /\v<(block|net)>(\s+\h\w*)@=/ nextgroup=cnnDefined skipwhite
syn match  cnnDefined  /\v<\h\w*>/ contained nextgroup=cnnParams skipwhite
syn region cnnParams   start=/(/ end=/)\|$/ contained contains=cnnParam,cnnNumber oneline
syn match  cnnParam    /\v<\h\w*>/ contained

" train, data and expect
syn region cnnSettings matchgroup=cnnKeyword start=/\v<(train|data|expect)>\s*\{/ end=/}/ contains=cnnComment,cnnString,cnnTap,cnnNumber,cnnSize,cnnHole,cnnSetting,cnnKeyword,cnnCompare fold
syn match  cnnCompare  /<=\|>=\|==\|!=\|[<>]/ contained

hi def link cnnComment   Comment
hi def link cnnTodo      Todo
hi def link cnnIgnore    SpecialComment
hi def link cnnString    String
hi def link cnnTap       Identifier
hi def link cnnNumber    Number
hi def link cnnSize      Number
hi def link cnnSetting   Type
hi def link cnnValue     Constant
hi def link cnnWord      Function
hi def link cnnStageWord Function
hi def link cnnCalled    Structure
hi def link cnnJoin      Statement
hi def link cnnKeyword   Keyword
hi def link cnnLabel     Tag
hi def link cnnConstant  Identifier
hi def link cnnDefined   Structure
hi def link cnnParam     Identifier
hi def link cnnArgument  Identifier
hi def link cnnVariable  Identifier
hi def link cnnFunction  Function
hi def link cnnArrow     Operator
hi def link cnnEquals    Operator
hi def link cnnMath      Operator
hi def link cnnCompare   Operator
hi def link cnnBraces    Delimiter

let b:current_syntax = "cnn"
