;;; cnn-mode.el --- Convolutional networks as text  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "29.1"))
;; Keywords: languages

;;; Commentary:

;; Colours and comments for .cnn files; `eglot' starts `cnnspec lsp' for findings, shapes and the rest.

;;; Code:

(defvar cnn-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "w" table)
    (modify-syntax-entry ?. "w" table)
    table)
  "Syntax table of `cnn-mode'.")

(defconst cnn-font-lock-keywords
  `(("\\_<\\(block\\|net\\)\\_>[ \t]+\\([[:alpha:]_][[:alnum:]_]*\\)"
     (1 font-lock-keyword-face) (2 font-lock-type-face))
    ("\\_<let\\_>[ \t]+\\([[:alpha:]_][[:alnum:]_]*\\)" (1 font-lock-variable-name-face))
    ("\\_<as\\_>[ \t]+\\([[:alpha:]_][[:alnum:]_]*\\)" (1 font-lock-constant-face))
    ("\\_<\\(?:import\\|let\\|input\\|as\\)\\_>" . font-lock-keyword-face)
    ("\\_<\\(train\\|data\\|expect\\)\\_>[ \t]*{" (1 font-lock-keyword-face))
    ("\\_<\\(add\\|concat\\|mul\\|max\\|min\\|mean\\|sub\\)[ \t]*(" (1 font-lock-keyword-face))
    ("@[[:alpha:]_][[:alnum:]_.]*" . font-lock-variable-name-face)
    ("\\([[:alpha:]_][[:alnum:]_.]*\\)(" (1 font-lock-type-face))
    ("\\(?:^\\|->\\|[|(=]\\)[ \t]*\\([[:alpha:]_][[:alnum:]_.]*\\)" (1 font-lock-function-name-face))
    ("->\\|::\\|[|*]\\|[<>=!]=" . font-lock-builtin-face))
  "Colours of `cnn-mode'.")

;;;###autoload
(define-derived-mode cnn-mode prog-mode "CNN"
  "Major mode for convolutional networks as text."
  (setq-local comment-start "# "
              comment-end ""
              indent-tabs-mode nil
              tab-width 2
              compile-command (concat "cnnspec check --format concise "
                                      (shell-quote-argument (or (buffer-file-name) ".")))
              font-lock-defaults '(cnn-font-lock-keywords)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.cnn\\'" . cnn-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(cnn-mode . ("cnnspec" "lsp"))))

(provide 'cnn-mode)
;;; cnn-mode.el ends here
