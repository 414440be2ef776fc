"use strict";(()=>{document.documentElement.setAttribute("data-demo-adverts",String(Date.now()));document.dispatchEvent(new Event("demo:tag"));})();
