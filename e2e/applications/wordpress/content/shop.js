window.shop = "open";
