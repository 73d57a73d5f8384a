/* Search works when the site is opened as a file.
 * Browsers refuse a Worker there. This one runs the same script in a hidden frame. The search script looks for the name
 * IFrameWorker in its parent. Nothing is fetched from elsewhere. */
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const early = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      frame.srcdoc = "<!doctype html><title>search</title>";
      frame.onload = () => {
        frame.onload = null;
        const inside = frame.contentWindow;
        inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
        const add = (src) =>
          new Promise((resolve, reject) => {
            const script = inside.document.createElement("script");
            script.src = src;
            script.onload = resolve;
            script.onerror = () => reject(new Error(src));
            inside.document.head.append(script);
          });
        inside.importScripts = (...urls) => urls.reduce((before, src) => before.then(() => add(src)), Promise.resolve());
        add(url).then(() => {
          this.deliver = (data) => inside.dispatchEvent(new inside.MessageEvent("message", { data }));
          early.forEach(this.deliver);
        });
      };
      this.deliver = (data) => early.push(data);
      document.body.append(frame);
    }
    postMessage(data) {
      this.deliver(data);
    }
    terminate() {}
  };
  window.Worker = window.IFrameWorker;
}
