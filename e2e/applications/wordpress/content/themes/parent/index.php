<!doctype html>
<html <?php language_attributes(); ?>>
<head><meta charset="utf-8"><title>Page</title><?php wp_head(); ?></head>
<body><?php wp_body_open(); ?><main>Text</main><?php wp_footer(); ?></body>
</html>
