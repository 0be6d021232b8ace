CREATE TABLE beans (bean_id INTEGER PRIMARY KEY, name TEXT, origin TEXT, price REAL, altitude INTEGER);
CREATE TABLE roasts (roast_id INTEGER PRIMARY KEY, bean_id INTEGER, level TEXT, minutes INTEGER, score INTEGER,
FOREIGN KEY (bean_id) REFERENCES beans(bean_id));
CREATE TABLE deliveries (delivery_id INTEGER PRIMARY KEY, roast_id INTEGER, cafe TEXT, bags INTEGER, month TEXT,
FOREIGN KEY (roast_id) REFERENCES roasts(roast_id));

INSERT INTO beans VALUES
(1, 'Sunrise', 'Brazil', 8.5, 1100),
(2, 'Cerrado', 'Brazil', 7.9, 1250),
(3, 'Volcano', 'Guatemala', 10.2, 1650),
(4, 'Yirga', 'Ethiopia', 12.8, 2000),
(5, 'Sidamo', 'Ethiopia', 11.6, 1900),
(6, 'Lago', 'Guatemala', 9.4, 1500),
(7, 'Dolce', 'Brazil', 6.7, 950),
(8, 'Condor', 'Peru', 9.8, 1780),
(9, 'Limu', 'Ethiopia', 10.9, 1820);

INSERT INTO roasts VALUES
(1, 1, 'medium', 12, 82),
(2, 1, 'dark', 15, 79),
(3, 2, 'dark', 16, 76),
(4, 3, 'medium', 11, 86),
(5, 4, 'light', 9, 93),
(6, 5, 'light', 8, 95),
(7, 6, 'medium', 13, 84),
(8, 7, 'dark', 17, 71),
(9, 8, 'medium', 14, 85),
(10, 4, 'medium', 10, 89),
(11, 7, 'espresso', 18, 74),
(12, 1, 'espresso', 19, 80);

INSERT INTO deliveries VALUES
(1, 1, 'Corner Cup', 12, 'May'),
(2, 5, 'Blue Door', 6, 'May'),
(3, 2, 'Station Bar', 25, 'May'),
(4, 4, 'Blue Door', 9, 'May'),
(5, 12, 'Station Bar', 30, 'June'),
(6, 6, 'Garden House', 5, 'June'),
(7, 5, 'Garden House', 7, 'June'),
(8, 9, 'Corner Cup', 14, 'June'),
(9, 1, 'Corner Cup', 10, 'June'),
(10, 8, 'Station Bar', 22, 'June'),
(11, 11, 'Station Bar', 18, 'July'),
(12, 10, 'Blue Door', 4, 'July'),
(13, 7, 'Corner Cup', 16, 'July'),
(14, 5, 'Blue Door', 8, 'August'),
(15, 12, 'Corner Cup', 20, 'August');
