/** A stand-in for a statistics tag: it does nothing but leave a mark that it ran. */

document.documentElement.setAttribute("data-demo-statistics", String(Date.now()));
document.dispatchEvent(new Event("demo:tag"));
