;;; Emacs' jsonrpc.el: headers.  Usage: emacs --batch -l emacs.el  -*- coding: utf-8; lexical-binding: t -*-

(require 'jsonrpc)

(defvar calls 100)
(defvar progress nil)
(defvar worker
  (make-instance
   'jsonrpc-process-connection
   :name "worker"
   :notification-dispatcher
   (lambda (_ method params) (when (eq method '$/progress) (setq progress (plist-get params :done))))
   :process (lambda () (make-process :name "worker" :command (list (getenv "PLEXSYNC_WORKER"))
                                     :connection-type 'pipe :coding 'utf-8-emacs-unix :noquery t
                                     :stderr (get-buffer-create "*log*")))))

(defun text (n) (format "%d Amélie 映画 🎬\u2028" n))
(defun wait (done) (while (not (funcall done)) (accept-process-output nil 0.05)))

(defun code (method params &optional stop)
  "The code of the error that METHOD with PARAMS ends with.  STOP it meanwhile."
  (let (code)
    (jsonrpc-async-request worker method params
                           :success-fn (lambda (_) (setq code 0))
                           :error-fn (lambda (error) (setq code (plist-get error :code))))
    (when stop
      (jsonrpc-notify worker :$/cancelRequest (list :id (jsonrpc--next-request-id worker))))
    (wait (lambda () code))
    code))

(let* ((identity (jsonrpc-request worker :identity.get nil))
       (unknown (code :no.such.method nil))
       (ended 0)
       (answered 0))
  (dotimes (n calls)
    (jsonrpc-async-request
     worker :plex.request (list :path (format "/text/%d" n) :query (list :text (text n)))
     :success-fn (lambda (result)
                   (setq ended (1+ ended))
                   (when (equal (plist-get (plist-get result :body) :text) (text n))
                     (setq answered (1+ answered))))
     :error-fn (lambda (_) (setq ended (1+ ended)))))
  (wait (lambda () (= ended calls)))
  (jsonrpc-request worker :plex.request
                   '(:path "/library/sections/1/all" :all_pages t :progress_token "news"))
  (let ((cancelled (code :plex.request '(:path "/slow") t))
        (process (jsonrpc--process worker)))
    (process-send-eof process)
    (wait (lambda () (not (process-live-p process))))
    (princ (json-serialize
            (list :version emacs-version :device_id (plist-get identity :device_id) :unknown unknown
                  :answered answered :progress progress :cancelled cancelled
                  :exit (process-exit-status process))))))
